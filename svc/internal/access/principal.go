package access

import (
	"context"
	"sync/atomic"
	"time"

	"configservice/svc/internal/conf"
)

// A Principal is who makes a call: a token's bearer, or, where no token was
// ever made, anybody. All requests with one token share one Principal, which
// knows at once when it has been revoked.
type Principal struct {
	id, name     string
	scope        conf.Scope
	applications map[string]struct{} // nil: all of them
	owners       []string            // the same, to ask the store for
	expires      time.Time           // zero: never
	now          func() time.Time
	revoked      atomic.Bool
}

func newPrincipal(t conf.Token, now func() time.Time) *Principal {
	p := &Principal{id: t.ID, name: t.Name, scope: t.Scope, owners: t.Applications, expires: t.ExpiresAt, now: now}
	if t.Applications != nil {
		p.applications = make(map[string]struct{}, len(t.Applications))
	}
	for _, id := range t.Applications {
		p.applications[id] = struct{}{}
	}
	return p
}

// newAnybody returns who may do everything, as long as there is no token.
func newAnybody(now func() time.Time) *Principal {
	return newPrincipal(conf.Token{Scope: conf.ScopeAdmin}, now)
}

// limited reports whether p is for some applications only.
func (p *Principal) limited() bool { return p.applications != nil }

// in reports whether p is for this application, among others.
func (p *Principal) in(applicationID string) bool {
	_, listed := p.applications[applicationID]
	return listed || !p.limited()
}

func (p *Principal) expired() bool {
	return !p.expires.IsZero() && !p.now().Before(p.expires)
}

// Live returns nil as long as p's token is good, and then an error of code
// [conf.Unauthenticated] that says why p may do nothing any more.
func (p *Principal) Live() error {
	switch {
	case p.revoked.Load() && p.id == "":
		return conf.Errorf(conf.Unauthenticated, "a token is needed, from now on")
	case p.revoked.Load():
		return conf.Errorf(conf.Unauthenticated, "the token has been revoked")
	case p.expired():
		return conf.Errorf(conf.Unauthenticated, "the token has expired")
	}
	return nil
}

// may returns why p may not do, anywhere, what needs this scope.
func (p *Principal) may(needed conf.Scope) error {
	if err := p.Live(); err != nil {
		return err
	}
	if !p.scope.Covers(needed) {
		return conf.Errorf(conf.Forbidden, "this needs a token of the scope %s, and the scope of this one is %s", needed, p.scope)
	}
	return nil
}

// mayIn returns why p may not do in one application what needs this scope. It
// says the same of an application that exists and of one that does not.
func (p *Principal) mayIn(needed conf.Scope, applicationID string) error {
	if err := p.may(needed); err != nil {
		return err
	}
	if !p.in(applicationID) {
		return elsewhere()
	}
	return nil
}

// mayEverywhere returns why p may not do what is about no one application.
func (p *Principal) mayEverywhere(needed conf.Scope) error {
	if err := p.may(needed); err != nil {
		return err
	}
	if p.limited() {
		return conf.Errorf(conf.Forbidden, "this needs a token that is not limited to applications")
	}
	return nil
}

// mayOwn returns why p may not rename or delete an application: besides admin,
// that takes the right to write to all of them.
func (p *Principal) mayOwn(applicationID string) error {
	if p.limited() {
		return p.mayIn(conf.ScopeAdmin, applicationID)
	}
	return p.may(conf.ScopeWrite)
}

// elsewhere is the refusal of everything outside of a token's applications. It
// names nothing, so that it tells nothing of what exists there.
func elsewhere() error {
	return conf.Errorf(conf.Forbidden, "this is in none of the applications that the token is limited to")
}

type principalKey struct{}

func with(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// of returns who makes the calls of ctx; where that is nobody, an error.
func of(ctx context.Context) (*Principal, error) {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return p, nil
	}
	return nil, conf.Errorf(conf.Unauthenticated, "nobody has been authenticated")
}

// Viewer returns who makes the calls of ctx, to be asked for each event of a
// watch: that allocates nothing and takes no lock.
func Viewer(ctx context.Context) *Principal {
	if p, err := of(ctx); err == nil {
		return p
	}
	nobody := newAnybody(time.Now)
	nobody.revoked.Store(true)
	return nobody
}

// Allowed reports whether p may read an application now: a token that has been
// revoked or has expired meanwhile may not.
func (p *Principal) Allowed(applicationID string) bool {
	return !p.revoked.Load() && !p.expired() && p.scope.Covers(conf.ScopeRead) && p.in(applicationID)
}

// Name returns the name of the token that ctx came with, "" where there is
// none.
func Name(ctx context.Context) string {
	if p, err := of(ctx); err == nil {
		return p.name
	}
	return ""
}

// ID is like [Name] for the token's id.
func ID(ctx context.Context) string {
	if p, err := of(ctx); err == nil {
		return p.id
	}
	return ""
}
