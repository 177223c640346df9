package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"configservice/svc/internal/instrument"
)

// repeatPeriod is how often the same trouble of telemetry is worth a line.
const repeatPeriod = time.Minute

// sdkReports is where the SDK's own troubles go: to stdout, each kind once a
// minute, and into a counter. They never go to the SDK, which would answer with
// new ones.
type sdkReports struct {
	slog.Handler
	errors   *atomic.Int64
	stopping *atomic.Bool
}

// reportTo makes console the end of all that the SDK says. The SDK has one such
// place a process.
func reportTo(console slog.Handler) *sdkReports {
	r := &sdkReports{
		Handler: instrument.Throttle(console, repeatPeriod), errors: new(atomic.Int64), stopping: new(atomic.Bool),
	}
	otel.SetLogger(logr.FromSlogHandler(r))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(r.trouble))
	return r
}

// trouble takes an error. Stopping cancels an export of metrics that is under
// way and repeats it as the last: that one is none.
func (r *sdkReports) trouble(err error) {
	if r.stopping.Load() && strings.Contains(err.Error(), context.Canceled.Error()) {
		return
	}
	slog.New(r).Error("telemetry has trouble; the service goes on", "error", err)
}

// count shows how often there was trouble. It is observed, not added to, so
// that it is there from zero on and reporting never calls the SDK.
func (r *sdkReports) count(meters metric.MeterProvider) error {
	_, err := meters.Meter(serviceName).Int64ObservableCounter("config.telemetry.errors",
		metric.WithUnit("{error}"),
		metric.WithDescription("Troubles that the OpenTelemetry SDK reported: exports that failed, data that was rejected or dropped."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(r.errors.Load())
			return nil
		}))
	return err
}

func (r *sdkReports) Enabled(ctx context.Context, l slog.Level) bool {
	return r.Handler.Enabled(ctx, sdkLevel(l))
}

func (r *sdkReports) Handle(ctx context.Context, rec slog.Record) error {
	rec.Level = sdkLevel(rec.Level)
	if rec.Level >= slog.LevelWarn {
		r.errors.Add(1)
	}
	return r.Handler.Handle(ctx, rec)
}

func (r *sdkReports) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sdkReports{r.Handler.WithAttrs(attrs), r.errors, r.stopping}
}

func (r *sdkReports) WithGroup(name string) slog.Handler {
	return &sdkReports{r.Handler.WithGroup(name), r.errors, r.stopping}
}

// sdkLevel undoes what logr makes of the SDK's warnings, which have verbosity 1.
func sdkLevel(l slog.Level) slog.Level {
	if l == -1 {
		return slog.LevelWarn
	}
	return l
}
