package instrument

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Reads counts config.reads: how often a configuration was read, from where and
// with what outcome.
type Reads struct {
	counter metric.Int64Counter
	series  map[readKey][]metric.AddOption
}

type readKey struct{ source, outcome string }

// NewReads returns the counter with all its series at zero.
func NewReads(p Providers) (*Reads, error) {
	counter, err := p.meter().Int64Counter("config.reads",
		metric.WithUnit("{read}"),
		metric.WithDescription("Reads of one configuration, by where the answer came from and what it was."))
	if err != nil {
		return nil, err
	}
	r := &Reads{counter: counter, series: map[readKey][]metric.AddOption{}}
	for _, source := range []string{"cache", "store"} {
		for _, outcome := range []string{"hit", "not_modified", "not_found"} {
			r.register(readKey{source, outcome})
		}
	}
	return r, nil
}

func (r *Reads) register(k readKey) {
	r.series[k] = addOptions(
		attribute.String("source", k.source), attribute.String("outcome", k.outcome))
	r.counter.Add(context.Background(), 0, r.series[k]...)
}

// ConfigurationRead counts one read. The source is "cache" or "store", the
// outcome "hit", "not_modified" or "not_found"; a read of another kind is
// reported as an error of telemetry, not counted as something it was not.
func (r *Reads) ConfigurationRead(ctx context.Context, source, outcome string) {
	options, ok := r.series[readKey{source, outcome}]
	if !ok {
		otel.Handle(fmt.Errorf("config.reads has no source %q with outcome %q", source, outcome))
		return
	}
	r.counter.Add(ctx, 1, options...)
}
