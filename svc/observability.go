package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/instrument"
)

const (
	serviceName = "config-service"

	// flushTimeout bounds what telemetry may take when the service stops: a
	// Collector that is away is no reason to keep everybody waiting.
	flushTimeout = 3 * time.Second
)

// telemetry is all that observes the service. It is set up by the standard
// OTEL_* variables of the process's environment, which the SDK reads by itself.
type telemetry struct {
	logger         *slog.Logger // JSON lines with trace ids; over OTLP as well
	metricsHandler http.Handler // GET /metrics
	middleware     func(http.Handler) http.Handler
	outcomes       *instrument.Outcomes // counts what handlers tell of reads and writes
	watches        *instrument.Watches  // measures what handlers tell of watches
	limits         *instrument.Limits   // counts what limits turn away
	pools          *instrument.Pools    // observes pools of connections as they work
	providers      instrument.Providers

	// shutdown sends what is left and stops. It returns by ctx's deadline,
	// whatever the receiver does; what went wrong is told, the rest is lost.
	shutdown func(ctx context.Context) error
}

// newTelemetry starts telemetry. Its errors name the variable at fault; after
// one the program is expected to end.
//
// With OTEL_SDK_DISABLED=true there are no metrics, spans and OTLP logs, while
// the lines on stdout and their trace ids, taken from the caller, stay.
func newTelemetry(ctx context.Context, version string, level slog.Leveler, stdout io.Writer) (*telemetry, error) {
	console := slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: level})
	disabled, err1 := sdkDisabled()
	propagator, err2 := propagatorFromEnv()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if disabled {
		return noSDK(console).telemetry(propagator)
	}
	s, err := startSDK(ctx, version, level, console)
	if err != nil {
		return nil, err
	}
	return s.telemetry(propagator)
}

// instrument returns store with its calls measured, and shows its totals and the
// state of its pools of connections until shutdown, which must be before the
// store closes. The system is "sqlite" or "postgresql".
func (t *telemetry) instrument(store conf.Store, system string, pools ...instrument.Pool) (conf.Store, error) {
	measured, err1 := instrument.Store(store, t.providers, system)
	err2 := t.pools.Observe(pools...)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	return measured, instrument.Totals(t.providers, measured.Stats)
}

// flush is shutdown within flushTimeout. That a Collector was not there to get
// the last of it is no failure of the service.
func (t *telemetry) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := t.shutdown(ctx); err != nil {
		t.logger.Warn("the last telemetry was not sent", "error", err)
	}
}

// sdk is what an SDK gives: providers, a handler for log records, metrics to
// scrape, and how to stop it.
type sdk struct {
	providers  instrument.Providers
	handler    slog.Handler
	scrape     http.Handler
	middleware func(instrument.Providers) (func(http.Handler) http.Handler, error)
	shutdown   func(context.Context) error
}

// telemetry puts the service's instruments onto s.
func (s sdk) telemetry(propagator propagation.TextMapPropagator) (*telemetry, error) {
	p := s.providers
	p.Propagator, p.Logger = propagator, slog.New(s.handler)
	middleware, err1 := s.middleware(p)
	outcomes, err2 := instrument.NewOutcomes(p)
	pools, err3 := instrument.NewPools(p)
	err4 := instrument.Process(p)
	err5 := runtime.Start(runtime.WithMeterProvider(p.Meter), runtime.WithMinimumReadMemStatsInterval(time.Second))
	watches, err6 := instrument.NewWatches(p)
	limits, err7 := instrument.NewLimits(p)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	return &telemetry{
		logger: p.Logger, metricsHandler: s.scrape, middleware: middleware,
		outcomes: outcomes, watches: watches, limits: limits, pools: pools, providers: p, shutdown: s.shutdown,
	}, nil
}

// noSDK keeps the lines on stdout. Its /metrics is 404 and not an empty 200:
// a scrape of nothing would look like a healthy target whose series vanished.
func noSDK(console slog.Handler) sdk {
	return sdk{
		providers: instrument.Providers{Meter: metricnoop.NewMeterProvider(), Tracer: tracenoop.NewTracerProvider()},
		handler:   instrument.LogHandler(console),
		scrape: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "telemetry is off: OTEL_SDK_DISABLED=true", http.StatusNotFound)
		}),
		middleware: instrument.Propagation,
		shutdown:   func(context.Context) error { return nil },
	}
}

// startSDK starts the three signals. Metrics have two readers: the scrape, which
// is always there, and what OTEL_METRICS_EXPORTER names.
func startSDK(ctx context.Context, version string, level slog.Leveler, console slog.Handler) (sdk, error) {
	reports := reportTo(console)
	res, err1 := describeService(ctx, version)
	sampler, err2 := samplerFromEnv()
	tracers, queue, err3 := newTracers(ctx, res, sampler)
	histograms := instrument.NewHistograms()
	reader, err4 := newMetricReader(ctx, histograms)
	loggers, handler, err5 := newLoggers(ctx, res, level, console)
	err := errors.Join(err1, err2, err3, naming("METRICS", err4), naming("LOGS", err5))
	if err != nil {
		return sdk{}, err
	}
	meters, scrape, err := newMeters(res, reader, histograms, reports)
	if err != nil {
		return sdk{}, err
	}
	warnUnheeded(slog.New(handler))
	return sdk{
		providers:  instrument.Providers{Meter: meters, Histograms: histograms, Tracer: tracers, Sampled: samples(sampler), Spans: queue},
		handler:    handler,
		scrape:     scrape,
		middleware: httpMiddleware,
		shutdown: func(ctx context.Context) error {
			reports.stopping.Store(true)
			return stopAll(ctx, map[string]func(context.Context) error{
				"traces": tracers.Shutdown, "metrics": meters.Shutdown, "logs": loggers.Shutdown,
			})
		},
	}, nil
}

func naming(signal string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("OTEL_%s_EXPORTER or OTEL_EXPORTER_OTLP_*: %w", signal, err)
}

// stopAll stops all at once, so that one that hangs takes no time from the
// others, and returns at ctx's deadline also when one does not heed it.
func stopAll(ctx context.Context, stops map[string]func(context.Context) error) error {
	stopped := make(chan error, len(stops))
	for signal, stop := range stops {
		go func() {
			if err := stop(ctx); err != nil {
				stopped <- fmt.Errorf("the last %s were not sent: %w", signal, err)
				return
			}
			stopped <- nil
		}()
	}
	var errs []error
	for range stops {
		select {
		case err := <-stopped:
			errs = append(errs, err)
		case <-ctx.Done():
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
	return errors.Join(errs...)
}

// describeService returns the resource that all signals carry. The operator's
// word wins over ours, ours over what is detected. Arguments are not part of
// it: they can hold a password.
func describeService(ctx context.Context, version string) (*resource.Resource, error) {
	if _, err := resource.New(ctx, resource.WithFromEnv()); err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	res, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithProcessPID(),
		resource.WithProcessExecutableName(),
		resource.WithProcessRuntimeName(),
		resource.WithProcessRuntimeVersion(),
		resource.WithService(),
		resource.WithAttributes(semconv.ServiceName(serviceName), semconv.ServiceVersion(version)),
		resource.WithFromEnv(),
	)
	if res == nil {
		return nil, err
	}
	if err != nil { // a detail that could not be detected is no reason not to start
		otel.Handle(err)
	}
	return res, nil
}

func sdkDisabled() (bool, error) {
	const name = "OTEL_SDK_DISABLED"
	switch v := envWord(name); v {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	default:
		return false, fmt.Errorf("%s is %q: it must be true or false", name, v)
	}
}

// propagatorFromEnv knows the propagators of the W3C.
func propagatorFromEnv() (propagation.TextMapPropagator, error) {
	const name = "OTEL_PROPAGATORS"
	known := map[string]propagation.TextMapPropagator{
		"tracecontext": propagation.TraceContext{},
		"baggage":      propagation.Baggage{},
	}
	names := envWord(name)
	if names == "" {
		names = "tracecontext,baggage"
	}
	var chosen []propagation.TextMapPropagator
	for n := range strings.SplitSeq(names, ",") {
		p, ok := known[strings.TrimSpace(n)]
		if !ok && names != "none" {
			return nil, fmt.Errorf("%s is %q: it must be none or a list of tracecontext and baggage", name, names)
		}
		if ok && !slices.Contains(chosen, p) {
			chosen = append(chosen, p)
		}
	}
	return propagation.NewCompositeTextMapPropagator(chosen...), nil
}

func envWord(name string) string {
	return strings.ToLower(strings.TrimSpace(os.Getenv(name)))
}
