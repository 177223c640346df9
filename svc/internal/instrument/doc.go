// Package instrument measures the service from the outside: decorators around
// http.Handler and [conf.Store], and observers of what only a running process
// knows. It speaks the OpenTelemetry API, never the SDK, but for the histograms
// of each request, which are package histogram's, and the spans of some, which
// are package spans'. It follows semantic
// conventions 1.43; taking its decorators off leaves a service that works the
// same.
//
// Everything that a call needs is computed before: a request or a store call
// that is not sampled costs a few look-ups in maps and, for a request, the
// allocations listed at [HTTP].
//
// No attribute of a metric ever holds an id, a name, a path or anything else
// that a client chooses.
package instrument

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/histogram"
	"configservice/svc/internal/otlp"
)

// scope names this package as the source of what it measures.
const scope = "configservice/svc/internal/instrument"

// Providers are where measurements go. All of them must be set; the noop
// packages of OpenTelemetry have ones that do nothing.
type Providers struct {
	Meter      metric.MeterProvider
	Tracer     trace.TracerProvider
	Propagator propagation.TextMapPropagator // reads the caller's trace from a request
	Logger     *slog.Logger                  // told about observers that fail
	Histograms *histogram.Set                // of [NewHistograms]; every reader of Meter's must collect it

	// Sampled tells whether Tracer will sample a span in parent, whose trace
	// has this id: the parent's or, when it begins there, that of [RootID]. It
	// does not matter for what is measured; nil lets every request go the whole
	// way.
	Sampled func(parent context.Context, id trace.TraceID) bool

	// Spans takes the spans of requests that have been answered by a
	// [Shortcut]. It must lead to where Tracer's do. Nil lets every request
	// that is sampled go the whole way.
	Spans *otlp.Spans
}

// NewHistograms returns a set for the histograms of each request.
func NewHistograms() *histogram.Set { return histogram.NewSet(scope, semconv.SchemaURL) }

func (p Providers) meter() metric.Meter {
	return p.Meter.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
}

func (p Providers) spans() *otlp.Scope {
	if p.Spans == nil {
		return nil
	}
	return p.Spans.Scope(scope, semconv.SchemaURL)
}

func (p Providers) tracer() trace.Tracer {
	return p.Tracer.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
}
