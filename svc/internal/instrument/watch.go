package instrument

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Watches measures what becomes of watches: config.watch.watchers,
// config.watch.events and config.propagation.duration.
type Watches struct {
	watchers    metric.Int64UpDownCounter
	transports  map[string][]metric.AddOption
	outcomes    map[string]*tally // events; one is told to thousands at once, so counting must be next to nothing
	propagation metric.Float64Histogram
	tracer      trace.Tracer
}

// NewWatches returns the instruments with all series of the counters at zero.
func NewWatches(p Providers) (*Watches, error) {
	m := p.meter()
	watchers, err1 := m.Int64UpDownCounter("config.watch.watchers", metric.WithUnit("{watcher}"),
		metric.WithDescription("Clients that wait for changes, by how they do."))
	outcomes := map[string]*tally{}
	for _, outcome := range []string{"delivered", "dropped", "resync"} {
		outcomes[outcome] = newTally(attribute.String("outcome", outcome))
	}
	_, err2 := m.Int64ObservableCounter("config.watch.events", metric.WithUnit("{event}"),
		metric.WithInt64Callback(observeAll(slices.Collect(maps.Values(outcomes)))),
		metric.WithDescription("Events of watches by what became of them; dropped counts once for each watcher that was cut off because it was slow."))
	propagation, err3 := m.Float64Histogram("config.propagation.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from the commit of a change until it was written to a watcher's connection."),
		durationBuckets())
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	w := &Watches{
		watchers: watchers, transports: seriesBy("transport", "sse", "long_poll"),
		outcomes: outcomes, propagation: propagation, tracer: p.tracer(),
	}
	for _, options := range w.transports {
		watchers.Add(context.Background(), 0, options...)
	}
	return w, nil
}

// seriesBy returns the options of the series that one attribute tells apart.
func seriesBy(key string, values ...string) map[string][]metric.AddOption {
	all := map[string][]metric.AddOption{}
	for _, value := range values {
		all[value] = addOptions(attribute.String(key, value))
	}
	return all
}

// Watching counts a watcher of a transport ("sse" or "long_poll") until the
// function that it returns is called.
func (w *Watches) Watching(transport string) (done func()) {
	options, ok := w.transports[transport]
	if !ok {
		otel.Handle(fmt.Errorf("config.watch.watchers has no transport %q", transport))
		return func() {}
	}
	w.watchers.Add(context.Background(), 1, options...)
	return func() { w.watchers.Add(context.Background(), -1, options...) }
}

// Delivering returns what makes a span of each delivery of a watch, as a child
// of the request in ctx that began it: from the commit to the write, or of no
// length when the change is from history. It returns nil when that request is
// not sampled, so what the other watches deliver costs nothing.
func (w *Watches) Delivering(ctx context.Context) func(revision int64, committed, written time.Time) {
	request := trace.SpanContextFromContext(ctx)
	if !request.IsSampled() {
		return nil
	}
	parent := trace.ContextWithSpanContext(context.Background(), request) // and nothing else of ctx, for as long as the watch lasts
	return func(revision int64, committed, written time.Time) {
		if committed.IsZero() {
			committed = written
		}
		_, span := w.tracer.Start(parent, "deliver change", trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithTimestamp(committed), trace.WithAttributes(attribute.Int64("config.revision", revision)))
		span.End(trace.WithTimestamp(written))
	}
}

// Event counts an event by its outcome ("delivered", "dropped" or "resync").
func (w *Watches) Event(outcome string) {
	count, ok := w.outcomes[outcome]
	if !ok {
		otel.Handle(fmt.Errorf("config.watch.events has no outcome %q", outcome))
		return
	}
	count.Add(1)
}

// Propagated records how long after its commit a change was written out.
func (w *Watches) Propagated(after time.Duration) {
	w.propagation.Record(context.Background(), seconds(after))
}

// Staleness shows what staleness tells, each time somebody collects, as
// config.replica.staleness: how long ago this replica last knew that it had
// every change.
func Staleness(p Providers, staleness func() time.Duration) error {
	_, err := p.meter().Float64ObservableGauge("config.replica.staleness", metric.WithUnit("s"),
		metric.WithDescription("Time since this replica last knew that it had every change of the store."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(seconds(staleness()))
			return nil
		}))
	return err
}
