package access

import (
	"context"

	"configservice/svc/internal/conf"
)

// Store returns next with each call checked against the principal of its
// context, which is the one place where it is decided who may reach what:
//
//   - reading needs the scope read, changing write, the audit admin;
//   - to create an application takes a token that is not limited to any, and
//     to rename or delete one either that or the scope admin in it;
//   - a token that is limited sees in lists its own applications alone, and
//     elsewhere gets [conf.Forbidden], the same for what exists there and for
//     what does not.
//
// A change is checked inside the transaction that makes it. Without a principal
// every call but Stats ends in [conf.Unauthenticated].
func Store(next conf.Store) conf.Store { return &store{next} }

type store struct{ next conf.Store }

func (s *store) CreateApplication(ctx context.Context, a conf.Application) (conf.Application, error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Application{}, err
	}
	if err := p.mayEverywhere(conf.ScopeWrite); err != nil {
		return conf.Application{}, err
	}
	return s.next.CreateApplication(ctx, a)
}

func (s *store) Application(ctx context.Context, id string) (conf.Application, error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Application{}, err
	}
	if err := p.mayIn(conf.ScopeRead, id); err != nil {
		return conf.Application{}, err
	}
	return s.next.Application(ctx, id)
}

func (s *store) Applications(ctx context.Context, q conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Page[conf.Application]{}, err
	}
	if err := p.may(conf.ScopeRead); err != nil {
		return conf.Page[conf.Application]{}, err
	}
	q.IDs = p.owners
	return s.next.Applications(ctx, q)
}

func (s *store) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Application{}, err
	}
	if err := p.mayOwn(id); err != nil {
		return conf.Application{}, err
	}
	return s.next.UpdateApplication(ctx, id, edit)
}

func (s *store) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	p, err := of(ctx)
	if err != nil {
		return 0, err
	}
	if err := p.mayOwn(id); err != nil {
		return 0, err
	}
	return s.next.DeleteApplication(ctx, id, check)
}

func (s *store) CreateConfiguration(ctx context.Context, c conf.Configuration) (conf.Configuration, error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Configuration{}, err
	}
	if err := p.mayIn(conf.ScopeWrite, c.ApplicationID); err != nil {
		return conf.Configuration{}, err
	}
	return s.next.CreateConfiguration(ctx, c)
}

func (s *store) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	return read(ctx, (*Principal).conceal, func() (conf.Configuration, error) { return s.next.Configuration(ctx, id) })
}

// ConfigurationByName tells a token that is limited what is missing in its own
// applications: a program that waits for its configuration must know.
func (s *store) ConfigurationByName(ctx context.Context, application, name string) (conf.Configuration, error) {
	missing := func(p *Principal, err error) error {
		if conf.CodeOf(err) == conf.NotFound && s.isOwnName(ctx, p, application) {
			return err
		}
		return p.conceal(err)
	}
	return read(ctx, missing, func() (conf.Configuration, error) { return s.next.ConfigurationByName(ctx, application, name) })
}

// isOwnName reports whether an application that p is limited to has this name.
func (s *store) isOwnName(ctx context.Context, p *Principal, name string) bool {
	if !p.limited() || name == "" {
		return false
	}
	page, err := s.next.Applications(ctx, conf.ApplicationQuery{Window: conf.Window{Limit: 1}, Name: name, IDs: p.owners})
	return err == nil && page.Total > 0
}

// read lets through the configuration that find finds, if it may be read, and
// what missing makes of the error that it ends in.
func read(ctx context.Context, missing func(*Principal, error) error, find func() (conf.Configuration, error)) (conf.Configuration, error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Configuration{}, err
	}
	if err := p.may(conf.ScopeRead); err != nil {
		return conf.Configuration{}, err
	}
	c, err := find()
	if err != nil {
		return c, missing(p, err)
	}
	if err := p.mayIn(conf.ScopeRead, c.ApplicationID); err != nil {
		return conf.Configuration{}, err
	}
	return c, nil
}

// conceal makes one thing, to a token that is limited, of what does not exist
// and of what is not its own: nothing tells in whose application it would be.
func (p *Principal) conceal(err error) error {
	if p.limited() && conf.CodeOf(err) == conf.NotFound {
		return elsewhere()
	}
	return err
}

func (s *store) Configurations(ctx context.Context, q conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Page[conf.Configuration]{}, err
	}
	if q.ApplicationID == "" {
		err, q.Owners = p.may(conf.ScopeRead), p.owners
	} else {
		err = p.mayIn(conf.ScopeRead, q.ApplicationID)
	}
	if err != nil {
		return conf.Page[conf.Configuration]{}, err
	}
	return s.next.Configurations(ctx, q)
}

func (s *store) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	w, err := newWrite(ctx, edit)
	if err != nil {
		return conf.Configuration{}, err
	}
	c, err := s.next.UpdateConfiguration(ctx, id, w.edit)
	return c, w.conceal(err)
}

func (s *store) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	w, err := newWrite(ctx, check)
	if err != nil {
		return 0, err
	}
	revision, err := s.next.DeleteConfiguration(ctx, id, w.edit)
	return revision, w.conceal(err)
}

// Stats is open to all: it tells how the store is, and nothing of what is in it.
func (s *store) Stats(ctx context.Context) (conf.Stats, error) { return s.next.Stats(ctx) }

// checked is edit behind a check, both in one transaction.
func checked[T any](edit, check conf.Edit[T]) conf.Edit[T] {
	return func(v *T) error {
		if err := check(v); err != nil {
			return err
		}
		return edit(v)
	}
}

// A write is a change of a configuration, whose owner is known only once it
// has been found.
type write struct {
	*Principal
	edit  conf.Edit[conf.Configuration]
	found bool
}

func newWrite(ctx context.Context, edit conf.Edit[conf.Configuration]) (*write, error) {
	p, err := of(ctx)
	if err != nil {
		return nil, err
	}
	w := &write{Principal: p}
	w.edit = checked(edit, func(c *conf.Configuration) error {
		w.found = true
		return p.mayIn(conf.ScopeWrite, c.ApplicationID)
	})
	return w, p.may(conf.ScopeWrite)
}

// conceal leaves alone what is missing in a configuration that was found, such
// as a version.
func (w *write) conceal(err error) error {
	if w.found {
		return err
	}
	return w.Principal.conceal(err)
}
