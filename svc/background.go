package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"configservice/svc/internal/cache"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/instrument"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// pruneInterval is how often history that is no longer kept is forgotten.
const pruneInterval = time.Hour

// startBackground starts what goes on beside requests: it follows the store's
// changes for the cache in front of it and for watchers, and forgets old ones.
// It goes on until stop, not ctx, because requests in flight still need it.
func (s *service) startBackground(ctx context.Context, t *telemetry, store *cache.Store, behind *sqlstore.Store) (stop func(), err error) {
	s.feed, err = watch.New(ctx, watch.Options{
		Source: store, Listen: behind.Listen, Apply: store.Apply, Reset: store.Reset, MaxWatchers: s.MaxWatchers, Logger: t.logger,
	})
	if err != nil {
		return nil, err
	}
	if err := instrument.Staleness(t.providers, s.feed.Staleness); err != nil {
		return nil, err
	}
	behind.OnCommit(s.feed.Hand)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.feed.Run(ctx) })
	running.Go(func() { retain(ctx, store.Prune, s.Retention, pruneInterval, t.logger) })
	return func() { cancel(); running.Wait() }, nil
}

// endWatches sends watchers away, and does not wait for those that do not
// listen.
func (s *service) endWatches() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.feed.Stop()
	if err := s.feed.Drain(ctx); err != nil {
		s.logger.Warn("some watchers do not take their leave and are cut off")
	}
}

// retain prunes now and then again after each interval until ctx is over. A
// failure is not the end of it: the next attempt has the same to do, and more.
func retain(ctx context.Context, prune func(context.Context, conf.Retention) error,
	r conf.Retention, interval time.Duration, logger *slog.Logger) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := prune(ctx, r); err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "history that is no longer kept was not forgotten", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
