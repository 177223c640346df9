package instrument

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A tally is the number of one series, read when somebody collects. To change
// it is one atomic addition, where an instrument would look for the series each
// time, once for each reader.
type tally struct {
	atomic.Int64
	series metric.ObserveOption
}

func newTally(attrs ...attribute.KeyValue) *tally {
	return &tally{series: metric.WithAttributeSet(attribute.NewSet(attrs...))}
}

// observeAll shows each tally whenever somebody collects.
func observeAll(tallies []*tally) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		for _, t := range tallies {
			o.Observe(t.Load(), t.series)
		}
		return nil
	}
}
