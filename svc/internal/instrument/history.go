package instrument

import (
	"context"

	"configservice/svc/internal/conf"
)

func (s *store) Versions(ctx context.Context, id string, w conf.Window) (conf.Page[conf.Version], error) {
	c := s.operations.selectChanges.start(ctx)
	page, err := s.next.Versions(c.ctx, id, w)
	c.end(err)
	return page, err
}

func (s *store) Version(ctx context.Context, id string, version int64) (conf.Version, error) {
	c := s.operations.selectChanges.start(ctx)
	v, err := s.next.Version(c.ctx, id, version)
	c.end(err)
	return v, err
}

func (s *store) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	c := s.operations.updateConfiguration.start(ctx)
	kept, err := s.next.RollbackConfiguration(c.ctx, id, version, check)
	c.end(err)
	s.measure(c.ctx, kept, err)
	return kept, err
}

func (s *store) ConfigurationAt(ctx context.Context, id string, at conf.Point) (conf.Configuration, error) {
	c := s.operations.selectChanges.start(ctx)
	found, err := s.next.ConfigurationAt(c.ctx, id, at)
	c.end(err)
	return found, err
}

func (s *store) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	c := s.operations.selectChanges.start(ctx)
	found, err := s.next.ConfigurationByNameAt(c.ctx, application, name, at)
	c.end(err)
	return found, err
}

func (s *store) Changes(ctx context.Context, after int64, limit int) ([]conf.Transaction, error) {
	c := s.operations.selectChanges.start(ctx)
	changes, err := s.next.Changes(c.ctx, after, limit)
	c.end(err)
	return changes, err
}

func (s *store) Audit(ctx context.Context, q conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	c := s.operations.selectChanges.start(ctx)
	page, err := s.next.Audit(c.ctx, q)
	c.end(err)
	return page, err
}

func (s *store) Prune(ctx context.Context, r conf.Retention) error {
	c := s.operations.deleteChanges.start(ctx)
	err := s.next.Prune(c.ctx, r)
	c.end(err)
	return err
}
