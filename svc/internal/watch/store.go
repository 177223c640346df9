package watch

import (
	"context"

	"configservice/svc/internal/conf"
)

// Waking returns store with the feed woken after each write that succeeds, so
// that watchers of this process need not wait for a poll.
func Waking(store conf.Store, feed *Feed) conf.Store { return waking{store, feed} }

type waking struct {
	conf.Store
	feed *Feed
}

func (s waking) wrote(err error) {
	if err == nil {
		s.feed.Wake()
	}
}

func (s waking) CreateApplication(ctx context.Context, a conf.Application) (conf.Application, error) {
	kept, err := s.Store.CreateApplication(ctx, a)
	s.wrote(err)
	return kept, err
}

func (s waking) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	kept, err := s.Store.UpdateApplication(ctx, id, edit)
	s.wrote(err)
	return kept, err
}

func (s waking) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	revision, err := s.Store.DeleteApplication(ctx, id, check)
	s.wrote(err)
	return revision, err
}

func (s waking) CreateConfiguration(ctx context.Context, c conf.Configuration) (conf.Configuration, error) {
	kept, err := s.Store.CreateConfiguration(ctx, c)
	s.wrote(err)
	return kept, err
}

func (s waking) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	kept, err := s.Store.UpdateConfiguration(ctx, id, edit)
	s.wrote(err)
	return kept, err
}

func (s waking) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	kept, err := s.Store.RollbackConfiguration(ctx, id, version, check)
	s.wrote(err)
	return kept, err
}

func (s waking) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	revision, err := s.Store.DeleteConfiguration(ctx, id, check)
	s.wrote(err)
	return revision, err
}
