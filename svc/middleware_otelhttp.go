//go:build otelhttp

package main

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"configservice/svc/internal/instrument"
)

// httpMiddleware is OpenTelemetry's own in place of ours, for `make
// bench-overhead`. It is in no program that is shipped.
func httpMiddleware(p instrument.Providers) (func(http.Handler) http.Handler, error) {
	return otelhttp.NewMiddleware("config-service", otelhttp.WithMeterProvider(p.Meter),
		otelhttp.WithTracerProvider(p.Tracer), otelhttp.WithPropagators(p.Propagator)), nil
}
