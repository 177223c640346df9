//go:build linux

package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// withOtelHTTP returns h in otelhttp, with an SDK as the service has it: two
// readers of metrics, one of them OTLP, and the traces that OTEL_TRACES_SAMPLER
// says.
func withOtelHTTP(ctx context.Context, h http.Handler) (http.Handler, func(context.Context) error, error) {
	spans, err1 := autoexport.NewSpanExporter(ctx)
	reader, err2 := autoexport.NewMetricReader(ctx)
	scraped, err3 := promexporter.New(promexporter.WithRegisterer(prometheus.NewRegistry()))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, nil, err
	}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(scraped), sdkmetric.WithReader(reader))
	measured := otelhttp.NewHandler(h, "bench",
		otelhttp.WithTracerProvider(tracers), otelhttp.WithMeterProvider(meters),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})))
	return measured, func(ctx context.Context) error {
		return errors.Join(tracers.Shutdown(ctx), meters.Shutdown(ctx))
	}, nil
}
