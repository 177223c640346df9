package instrument

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Trivial requests, unsampled, with two readers as in production.
func BenchmarkMiddleware(b *testing.B) {
	body, mux := make([]byte, 400), http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	histograms := NewHistograms()
	collected := sdkmetric.WithProducer(histograms)
	providers := Providers{
		Meter: sdkmetric.NewMeterProvider(
			sdkmetric.WithReader(sdkmetric.NewManualReader(collected)), sdkmetric.WithReader(sdkmetric.NewManualReader(collected))),
		Tracer:     sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		Propagator: propagation.TraceContext{},
		Histograms: histograms,
	}
	ours, err := HTTP(providers)
	if err != nil {
		b.Fatal(err)
	}
	theirs := otelhttp.NewMiddleware("http", otelhttp.WithMeterProvider(providers.Meter),
		otelhttp.WithTracerProvider(providers.Tracer), otelhttp.WithPropagators(providers.Propagator))
	for _, c := range []struct {
		name string
		h    http.Handler
	}{{"bare", mux}, {"ours", ours(mux)}, {"otelhttp", theirs(mux)}} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/things/1", nil)
			b.ReportAllocs()
			for b.Loop() {
				c.h.ServeHTTP(discard{}, r)
			}
		})
	}
}

// discard is a response that goes nowhere and costs nothing.
type discard struct{}

func (discard) Header() http.Header         { return nil }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
