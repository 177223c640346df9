package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// newMetricReader returns what OTEL_METRICS_EXPORTER names, with histograms
// beside what the SDK collects.
func newMetricReader(ctx context.Context, histograms sdkmetric.Producer) (sdkmetric.Reader, error) {
	const name = "OTEL_METRICS_PRODUCERS"
	if v := envWord(name); v != "" {
		return nil, fmt.Errorf("%s is %q: it must not be set, or the histograms of requests would be left out", name, v)
	}
	autoexport.WithFallbackMetricProducer(func(context.Context) (sdkmetric.Producer, error) { return histograms, nil })
	return autoexport.NewMetricReader(ctx)
}

func newMeters(res *resource.Resource, reader sdkmetric.Reader, histograms sdkmetric.Producer, reports *sdkReports) (*sdkmetric.MeterProvider, http.Handler, error) {
	registry := prometheus.NewRegistry()
	// Scope labels would tell the same series apart by the library that made
	// it, which no query wants.
	scraped, err := promexporter.New(promexporter.WithRegisterer(registry), promexporter.WithoutScopeInfo(), promexporter.WithProducer(histograms))
	if err != nil {
		return nil, nil, err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(scraped)}
	if !autoexport.IsNoneMetricReader(reader) {
		options = append(options, sdkmetric.WithReader(reader))
	}
	meters := sdkmetric.NewMeterProvider(options...)
	// One series that cannot be shown must not hide all others; it is logged
	// and counted.
	scrape := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorHandling:     promhttp.ContinueOnError,
		ErrorLog:          slog.NewLogLogger(reports, slog.LevelError),
	})
	return meters, scrape, reports.count(meters)
}

// warnUnheeded tells of variables that the histograms of requests do not heed,
// which are not the SDK's.
func warnUnheeded(logger *slog.Logger) {
	for name, heeded := range map[string]string{
		"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE":        "cumulative",
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram",
		"OTEL_METRICS_EXEMPLAR_FILTER":                             "trace_based",
	} {
		if v := envWord(name); v != "" && v != heeded {
			logger.Warn("the histograms of requests do not heed a variable", "variable", name, "value", v, "heeded", heeded)
		}
	}
}
