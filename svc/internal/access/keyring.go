package access

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"configservice/svc/internal/conf"
)

// A Keyring knows every token. It follows the store of tokens, and is asked
// without a lock and, as long as the answer is yes, without an allocation.
//
// It is closed, that is, it wants a token, from the first token ever made on.
// It stays so when the last one is revoked: that must lock everybody out
// rather than let everybody in.
type Keyring struct {
	tokens  conf.Tokens
	logger  *slog.Logger
	now     func() time.Time
	current atomic.Pointer[keys]
	stale   bool // the last attempt to look failed; of the follower alone
}

// keys are the tokens of one version of the store's set.
type keys struct {
	version int64
	byHash  map[conf.TokenHash]*Principal
	anybody *Principal // nil: closed
}

// NewKeyring returns a keyring that knows the tokens there are.
func NewKeyring(ctx context.Context, tokens conf.Tokens, logger *slog.Logger) (*Keyring, error) {
	return newKeyring(ctx, tokens, logger, time.Now)
}

func newKeyring(ctx context.Context, tokens conf.Tokens, logger *slog.Logger, now func() time.Time) (*Keyring, error) {
	k := &Keyring{tokens: tokens, logger: logger, now: now}
	k.current.Store(&keys{version: -1, anybody: newAnybody(now)})
	return k, k.refresh(ctx)
}

// Open reports whether requests are served without a token.
func (k *Keyring) Open() bool { return k.current.Load().anybody != nil }

// Follow looks for changes each interval until ctx is over. While the store
// does not answer, the tokens known last stay good.
func (k *Keyring) Follow(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.report(ctx, k.refresh(ctx))
		}
	}
}

// report logs when changes of tokens cease to be seen, and when they are again.
func (k *Keyring) report(ctx context.Context, err error) {
	if stale := err != nil && ctx.Err() == nil; stale != k.stale {
		k.stale = stale
		if stale {
			k.logger.Error("changes of tokens are not seen: the store does not tell them", "error", err)
		} else {
			k.logger.Info("changes of tokens are seen again")
		}
	}
}

// refresh takes over the store's tokens if they have changed.
func (k *Keyring) refresh(ctx context.Context) error {
	old := k.current.Load()
	version, err := k.tokens.TokensVersion(ctx)
	if err != nil || version == old.version {
		return err
	}
	set, err := k.tokens.Tokens(ctx)
	if err != nil {
		return err
	}
	k.current.Store(k.next(old, set))
	old.revoke(k.current.Load())
	if old.version >= 0 {
		k.logger.Info("tokens have changed", "tokens", len(set.Tokens))
	}
	return nil
}

// next keeps the principals of the tokens that stay, so that requests and
// watches under way learn of the end of theirs.
func (k *Keyring) next(old *keys, set conf.TokenSet) *keys {
	n := &keys{version: set.Version, byHash: make(map[conf.TokenHash]*Principal, len(set.Tokens))}
	if set.Version == 0 {
		n.anybody = old.anybody
	}
	for _, t := range set.Tokens {
		p, known := old.byHash[t.Hash]
		if !known || p.id != t.ID {
			p = newPrincipal(t, k.now)
		}
		n.byHash[t.Hash] = p
	}
	return n
}

// revoke ends the principals that are not among the next keys.
func (old *keys) revoke(next *keys) {
	for hash, p := range old.byHash {
		if next.byHash[hash] != p {
			p.revoked.Store(true)
		}
	}
	if old.anybody != nil && next.anybody == nil {
		old.anybody.revoked.Store(true)
	}
}
