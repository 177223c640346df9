package instrument

import (
	"context"

	"go.opentelemetry.io/otel/metric"

	"configservice/svc/internal/conf"
)

// Store returns next with every call measured as an operation of the database
// system, "sqlite" or "postgresql": db.client.operation.duration, and a client
// span when the caller's trace is sampled. It measures the config.payload.size
// of each configuration kept.
//
// What next returns comes back as it is, values and errors. A call that ends in
// conf.NotFound, Exists or the like is the caller's affair and no failure of
// the database: only conf.Unavailable and conf.Internal are errors here.
func Store(next conf.Store, p Providers, system string) (conf.Store, error) {
	return newStore(next, p, system)
}

type store struct {
	next       conf.Store
	operations operations
	payload    metric.Int64Histogram
}

func (s *store) CreateApplication(ctx context.Context, a conf.Application) (conf.Application, error) {
	c := s.operations.insertApplication.start(ctx)
	kept, err := s.next.CreateApplication(c.ctx, a)
	c.end(err)
	return kept, err
}

func (s *store) Application(ctx context.Context, id string) (conf.Application, error) {
	c := s.operations.selectApplications.start(ctx)
	a, err := s.next.Application(c.ctx, id)
	c.end(err)
	return a, err
}

func (s *store) Applications(ctx context.Context, q conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	c := s.operations.selectApplications.start(ctx)
	page, err := s.next.Applications(c.ctx, q)
	c.end(err)
	return page, err
}

func (s *store) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	c := s.operations.updateApplication.start(ctx)
	kept, err := s.next.UpdateApplication(c.ctx, id, edit)
	c.end(err)
	return kept, err
}

func (s *store) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	c := s.operations.deleteApplication.start(ctx)
	revision, err := s.next.DeleteApplication(c.ctx, id, check)
	c.end(err)
	return revision, err
}

func (s *store) CreateConfiguration(ctx context.Context, new conf.Configuration) (conf.Configuration, error) {
	c := s.operations.insertConfiguration.start(ctx)
	kept, err := s.next.CreateConfiguration(c.ctx, new)
	c.end(err)
	s.measure(c.ctx, kept, err)
	return kept, err
}

func (s *store) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	c := s.operations.selectConfigurations.start(ctx)
	found, err := s.next.Configuration(c.ctx, id)
	c.end(err)
	return found, err
}

func (s *store) ConfigurationByName(ctx context.Context, application, name string) (conf.Configuration, error) {
	c := s.operations.selectConfigurations.start(ctx)
	found, err := s.next.ConfigurationByName(c.ctx, application, name)
	c.end(err)
	return found, err
}

func (s *store) Configurations(ctx context.Context, q conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	c := s.operations.selectConfigurations.start(ctx)
	page, err := s.next.Configurations(c.ctx, q)
	c.end(err)
	return page, err
}

func (s *store) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	c := s.operations.updateConfiguration.start(ctx)
	kept, err := s.next.UpdateConfiguration(c.ctx, id, edit)
	c.end(err)
	s.measure(c.ctx, kept, err)
	return kept, err
}

func (s *store) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	c := s.operations.deleteConfiguration.start(ctx)
	revision, err := s.next.DeleteConfiguration(c.ctx, id, check)
	c.end(err)
	return revision, err
}

func (s *store) Stats(ctx context.Context) (conf.Stats, error) {
	c := s.operations.selectStore.start(ctx)
	stats, err := s.next.Stats(c.ctx)
	c.end(err)
	return stats, err
}

func (s *store) measure(ctx context.Context, kept conf.Configuration, err error) {
	if err == nil {
		s.payload.Record(ctx, int64(len(kept.Config)))
	}
}
