package instrument

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"configservice/internal/testwait"
	"configservice/svc/internal/conf"
)

func TestTotalsAreOldOrTheirFailureStopsTheRest(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	must[*Outcomes](t)(NewOutcomes(r.Providers))
	inner := &fakeStore{}
	succeed(t, Totals(r.Providers, inner.Stats))
	shown := map[string]float64{"config.applications{}": 2, "config.configurations{}": 3, "config.store.revision{}": 5}
	totals := func() map[string]float64 {
		return r.counts(t, "config.")
	}
	if diff := cmp.Diff(shown, totals()); diff != "" {
		t.Error(diff)
	}
	inner.err = errors.New("disk gone")
	for range 3 {
		if diff := cmp.Diff(map[string]float64{}, totals()); diff != "" {
			t.Errorf("while the store fails: %s", diff)
		}
	}
	if n := len(r.values(t, "config.reads")); n != 6 {
		t.Errorf("%d other series are collected while the store fails, want 6", n)
	}
	inner.err = nil
	if diff := cmp.Diff(shown, totals()); diff != "" {
		t.Errorf("after the store is back: %s", diff)
	}
	if lost, back := strings.Count(r.log.String(), "disk gone"), strings.Count(r.log.String(), "back"); lost != 1 || back != 1 {
		t.Errorf("want one line of loss and one of recovery:\n%s", r.log)
	}
}

// A store that heeds no context: the scrape goes on without its totals, the
// store is asked once, and what it says at last is not taken for the present.
func TestStoreThatHangsHoldsUpEveryScrape(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	var asked atomic.Int64
	release := make(chan struct{})
	slow := &totals{logger: r.Logger, timeout: 10 * time.Millisecond,
		stats: func(context.Context) (conf.Stats, error) {
			if asked.Add(1) == 1 {
				<-release
			}
			return conf.Stats{Revision: asked.Load()}, nil
		}}
	succeed(t, observeTotals(r.Providers, slow))
	for range 3 {
		if got := r.values(t, "config."); len(got) != 0 {
			t.Errorf("samples of a store that does not answer: %v", got)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the store was asked %d times while it hung", n)
	}
	if n := strings.Count(r.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d lines about it:\n%s", n, r.log)
	}
	hung := slow.ask()
	close(release)
	<-hung.answered
	if hung.err == nil {
		t.Error("an answer from the past is taken for the present")
	}
	testwait.Until(t, "the revision is told", func() bool { return r.values(t, "config.")["config.store.revision{}"] >= 2 })
}

func TestReadersAtTheSameTimeStarveEachOther(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	entered, release := make(chan struct{}, 4), make(chan struct{}) // room for every reader to ask
	shared := &totals{logger: r.Logger, timeout: waitFor, stats: func(context.Context) (conf.Stats, error) {
		entered <- struct{}{}
		<-release
		return conf.Stats{Revision: 4}, nil
	}}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			if s, ok := shared.read(t.Context()); !ok || s.Revision != 4 {
				t.Errorf("a reader got %v, %v", s, ok)
			}
		})
	}
	<-entered
	close(release)
	readers.Wait()
}

func TestReaderThatGivesUpIsBlamedOnTheStore(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	hang := &totals{logger: r.Logger, timeout: waitFor, stats: func(ctx context.Context) (conf.Stats, error) {
		<-ctx.Done()
		return conf.Stats{}, ctx.Err()
	}}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := hang.read(gone); ok || r.log.String() != "" {
		t.Errorf("got totals: %v, log %q", ok, r.log)
	}
}
