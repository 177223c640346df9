package access

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// A rig is a keyring on a store of its own, with a clock that a test sets.
type rig struct {
	*Keyring
	store *sqlstore.Store
	clock time.Time
}

func newRig(t testing.TB) *rig {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &rig{store: store, clock: time.Now().Truncate(time.Microsecond)}
	r.Keyring, err = newKeyring(t.Context(), store, slog.New(slog.DiscardHandler), func() time.Time { return r.clock })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// token makes a token of which the keyring knows, and returns its secret.
func (r *rig) token(t testing.TB, token conf.Token) (secret string) {
	t.Helper()
	secret, token.Hash = NewSecret()
	if token.Name == "" {
		token.Name = secret[:20]
	}
	if _, err := r.store.CreateToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	r.look(t)
	return secret
}

func (r *rig) revoke(t testing.TB, name string) {
	t.Helper()
	if _, err := r.store.RevokeToken(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	r.look(t)
}

// look is what the follower does at each tick.
func (r *rig) look(t testing.TB) {
	t.Helper()
	if err := r.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// as returns the context of calls with a secret.
func (r *rig) as(t testing.TB, secret string) context.Context {
	t.Helper()
	p, err := r.Authenticate(bearerHeader(secret))
	if err != nil {
		t.Fatal(err)
	}
	return with(t.Context(), p)
}

func bearerHeader(secret string) http.Header {
	return http.Header{"Authorization": {"Bearer " + secret}}
}

func wantCode(t *testing.T, err error, want conf.Code) {
	t.Helper()
	if got := conf.CodeOf(err); got != want {
		t.Errorf("error %v has the code %q, want %q", err, got, want)
	}
}
