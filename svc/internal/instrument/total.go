package instrument

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"configservice/svc/internal/conf"
)

// totalsTimeout bounds the wait for a store's totals. Prometheus gives a whole
// scrape 10 s unless told otherwise.
const totalsTimeout = time.Second

// Totals shows what stats tells, each time somebody collects, as
// config.applications, config.configurations and config.store.revision.
//
// When stats fails or takes longer than a second, there is no sample: neither
// an old number nor a wait. The first failure is logged, and the recovery.
func Totals(p Providers, stats func(context.Context) (conf.Stats, error)) error {
	return observeTotals(p, &totals{stats: stats, timeout: totalsTimeout, logger: p.Logger})
}

func observeTotals(p Providers, t *totals) error {
	m := p.meter()
	applications, err1 := m.Int64ObservableGauge("config.applications",
		metric.WithUnit("{application}"), metric.WithDescription("Applications in the store."))
	configurations, err2 := m.Int64ObservableGauge("config.configurations",
		metric.WithUnit("{configuration}"), metric.WithDescription("Configurations in the store."))
	revision, err3 := m.Int64ObservableGauge("config.store.revision",
		metric.WithUnit("{revision}"), metric.WithDescription("Revision of the store's last commit; it never decreases."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err := m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		// An error returned from here would make the SDK drop the whole
		// export, so it ends in the log and in samples that are missing.
		if s, ok := t.read(ctx); ok {
			o.ObserveInt64(applications, s.Applications)
			o.ObserveInt64(configurations, s.Configurations)
			o.ObserveInt64(revision, s.Revision)
		}
		return nil
	}, applications, configurations, revision)
	return err
}

// totals asks for the store's totals. Readers that collect at the same time
// share one question, so a store that hangs is asked once, not once a scrape.
type totals struct {
	stats   func(context.Context) (conf.Stats, error)
	timeout time.Duration
	logger  *slog.Logger

	mu      sync.Mutex
	asked   *question // under way, or nil
	failing bool
}

type question struct {
	answered chan struct{}
	stats    conf.Stats
	err      error
}

// read returns the totals, or false when they cannot be had in time. A reader
// that gives up by itself is no failure of the store.
func (t *totals) read(reader context.Context) (conf.Stats, bool) {
	ctx, cancel := context.WithTimeout(reader, t.timeout)
	defer cancel()
	q := t.ask()
	select {
	case <-q.answered:
		t.report(q.err)
		return q.stats, q.err == nil
	case <-ctx.Done():
		if reader.Err() == nil {
			t.report(fmt.Errorf("no answer within %v", t.timeout))
		}
		return conf.Stats{}, false
	}
}

func (t *totals) ask() *question {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked == nil {
		t.asked = &question{answered: make(chan struct{})}
		go t.answer(t.asked)
	}
	return t.asked
}

// answer gives the question its own deadline: that of one reader must not end
// another's.
func (t *totals) answer(q *question) {
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
	defer cancel()
	q.stats, q.err = t.stats(ctx)
	if q.err == nil {
		q.err = ctx.Err() // an answer this late is about the past
	}
	t.mu.Lock()
	t.asked = nil
	t.mu.Unlock()
	close(q.answered)
}

// report logs when the totals stop being available, and when they are back.
func (t *totals) report(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if failing := err != nil; failing != t.failing {
		t.failing = failing
		if failing {
			t.logger.Error("the store's totals are missing from the metrics", "error", err)
		} else {
			t.logger.Info("the store's totals are back in the metrics")
		}
	}
}
