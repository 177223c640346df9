package instrument

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestWatchesHaveNoRateBeforeTheirFirstEvent(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	must[*Watches](t)(NewWatches(r.Providers))
	want := map[string]float64{
		"config.watch.watchers{transport=sse}":       0,
		"config.watch.watchers{transport=long_poll}": 0,
		"config.watch.events{outcome=delivered}":     0,
		"config.watch.events{outcome=dropped}":       0,
		"config.watch.events{outcome=resync}":        0,
	}
	if diff := cmp.Diff(want, r.values(t, "config.watch.")); diff != "" {
		t.Error(diff)
	}
}

func TestWatcherIsStillCountedAfterItHasGone(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	w := must[*Watches](t)(NewWatches(r.Providers))
	done := w.Watching("sse")
	w.Watching("sse")
	w.Watching("long_poll")()
	done()
	w.Event("delivered")
	w.Propagated(3 * time.Millisecond)
	want := map[string]float64{
		"config.watch.watchers{transport=sse}":   1,
		"config.watch.events{outcome=delivered}": 1,
		"config.propagation.duration{}":          1,
	}
	got := r.counts(t, "config.watch.")
	for k, v := range r.counts(t, "config.propagation.") {
		got[k] = v
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStalenessIsNotThatOfTheMomentOfCollection(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	stale := time.Second
	succeed(t, Staleness(r.Providers, func() time.Duration { return stale }))
	for _, stale = range []time.Duration{time.Second, 90 * time.Second} {
		if got := r.values(t, "config.replica.")["config.replica.staleness{}"]; got != stale.Seconds() {
			t.Errorf("staleness is %v, want %v", got, stale)
		}
	}
}
