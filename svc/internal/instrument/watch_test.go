package instrument

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
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

func TestDeliveryOfASampledWatchHasNoSpan(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	w := must[*Watches](t)(NewWatches(r.Providers))
	request := r.manualTrace(true)
	deliver := w.Delivering(request)
	written := time.Now()
	deliver(7, written.Add(-30*time.Millisecond), written)
	deliver(5, time.Time{}, written) // from history
	spans := r.spans.Ended()
	if len(spans) != 2 {
		t.Fatalf("%d spans of two deliveries", len(spans))
	}
	for i, want := range []struct {
		revision int64
		took     time.Duration
	}{{7, 30 * time.Millisecond}, {5, 0}} {
		s := spans[i]
		if s.Parent().SpanID() != trace.SpanContextFromContext(request).SpanID() || s.Name() != "deliver change" {
			t.Errorf("the span %q is a child of %v, want of the request", s.Name(), s.Parent().SpanID())
		}
		if took := s.EndTime().Sub(s.StartTime()); took != want.took {
			t.Errorf("revision %d took %v, want %v", want.revision, took, want.took)
		}
		if a := s.Attributes(); len(a) != 1 || a[0] != attribute.Int64("config.revision", want.revision) {
			t.Errorf("the span says %v, want revision %d", a, want.revision)
		}
	}
}

func TestDeliveryOfAWatchThatIsNotSampledCosts(t *testing.T) {
	r := newRig(t, sdktrace.AlwaysSample())
	w := must[*Watches](t)(NewWatches(r.Providers))
	for _, ctx := range []context.Context{t.Context(), r.manualTrace(false)} {
		if w.Delivering(ctx) != nil {
			t.Error("the deliveries of a watch that is not sampled are traced")
		}
		if n := testing.AllocsPerRun(100, func() { w.Delivering(ctx) }); n > 0 {
			t.Errorf("to find out that there is nothing to trace allocates %v times", n)
		}
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
