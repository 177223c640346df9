package access

import (
	"context"

	"configservice/svc/internal/conf"
)

func (s *store) Versions(ctx context.Context, id string, w conf.Window) (conf.Page[conf.Version], error) {
	if err := s.mayRead(ctx, id); err != nil {
		return conf.Page[conf.Version]{}, err
	}
	return s.next.Versions(ctx, id, w)
}

func (s *store) Version(ctx context.Context, id string, version int64) (conf.Version, error) {
	if err := s.mayRead(ctx, id); err != nil {
		return conf.Version{}, err
	}
	return s.next.Version(ctx, id, version)
}

// mayRead returns why the configuration may not be read. That it is looked up
// apart from what follows is safe, since it stays with its application for
// ever; a token that is not limited spares the look.
func (s *store) mayRead(ctx context.Context, id string) error {
	p, err := of(ctx)
	if err != nil {
		return err
	}
	if !p.limited() {
		return p.may(conf.ScopeRead)
	}
	_, err = s.Configuration(ctx, id)
	return err
}

func (s *store) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	w, err := newWrite(ctx, check)
	if err != nil {
		return conf.Configuration{}, err
	}
	c, err := s.next.RollbackConfiguration(ctx, id, version, w.edit)
	return c, w.conceal(err)
}

func (s *store) ConfigurationAt(ctx context.Context, id string, at conf.Point) (conf.Configuration, error) {
	return read(ctx, (*Principal).conceal, func() (conf.Configuration, error) { return s.next.ConfigurationAt(ctx, id, at) })
}

// ConfigurationByNameAt conceals also what is missing in an application that
// is the token's own by its name today: then, another may have had that name.
func (s *store) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	return read(ctx, (*Principal).conceal, func() (conf.Configuration, error) {
		return s.next.ConfigurationByNameAt(ctx, application, name, at)
	})
}

// Changes are of all applications, and whoever reads them must see them all to
// go on from the last.
func (s *store) Changes(ctx context.Context, after int64, limit int) ([]conf.Transaction, error) {
	p, err := of(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.mayEverywhere(conf.ScopeRead); err != nil {
		return nil, err
	}
	return s.next.Changes(ctx, after, limit)
}

func (s *store) Audit(ctx context.Context, q conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	p, err := of(ctx)
	if err != nil {
		return conf.Page[conf.AuditEntry]{}, err
	}
	if q.ApplicationID == "" {
		err = p.mayEverywhere(conf.ScopeAdmin)
	} else {
		err = p.mayIn(conf.ScopeAdmin, q.ApplicationID)
	}
	if err != nil {
		return conf.Page[conf.AuditEntry]{}, err
	}
	return s.next.Audit(ctx, q)
}

func (s *store) Prune(ctx context.Context, r conf.Retention) error {
	p, err := of(ctx)
	if err != nil {
		return err
	}
	if err := p.mayEverywhere(conf.ScopeAdmin); err != nil {
		return err
	}
	return s.next.Prune(ctx, r)
}
