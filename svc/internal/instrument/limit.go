package instrument

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Limits counts config.limits.rejected: what the service turned away because a
// limit was reached.
type Limits struct {
	rejected metric.Int64Counter
	series   map[string][]metric.AddOption
}

// NewLimits returns the counter with all its series at zero.
func NewLimits(p Providers) (*Limits, error) {
	rejected, err := p.meter().Int64Counter("config.limits.rejected", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that were turned away, by the limit that they met."))
	if err != nil {
		return nil, err
	}
	l := &Limits{rejected: rejected, series: map[string][]metric.AddOption{}}
	for _, limit := range []string{"body", "concurrency", "watchers", "write_rate"} {
		l.series[limit] = addOptions(attribute.String("limit", limit))
		rejected.Add(context.Background(), 0, l.series[limit]...)
	}
	return l, nil
}

// Rejected counts a request that was turned away by its limit: "body",
// "concurrency", "watchers" or "write_rate". Any other is an error of
// telemetry.
func (l *Limits) Rejected(ctx context.Context, limit string) {
	options, ok := l.series[limit]
	if !ok {
		otel.Handle(fmt.Errorf("config.limits.rejected has no limit %q", limit))
		return
	}
	l.rejected.Add(ctx, 1, options...)
}
