// Package emit sends what a load test does as metrics, by OTLP, so that the
// dashboards show the load beside what the service makes of it.
package emit

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"configservice/observability/loadtest/load"
)

const (
	name        = "loadtest"
	stopTimeout = 3 * time.Second
)

// A Meter is a [load.Observer] that sends what it is told of. It never slows
// the load: what cannot be sent is lost.
type Meter struct {
	provider *sdkmetric.MeterProvider
	scenario attribute.KeyValue
	basic    metric.MeasurementOption // the scenario alone

	scheduled, completed, failed, notStarted, late metric.Int64Counter
	response, service                              metric.Float64Histogram
	active                                         metric.Int64Gauge
}

// Start begins to send to what the OTEL_* variables name, by default to the
// Collector at endpoint. It tells trouble at most once.
func Start(ctx context.Context, scenario, endpoint string, getenv func(string) string, trouble func(error)) (*Meter, error) {
	reader, err := reader(ctx, endpoint, getenv)
	if err != nil {
		return nil, err
	}
	var once sync.Once
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { once.Do(func() { trouble(err) }) }))
	described, err := resource.New(ctx, resource.WithHost(),
		resource.WithAttributes(semconv.ServiceName(name), semconv.ServiceInstanceID(name)), resource.WithFromEnv())
	if described == nil {
		return nil, err
	}
	m := &Meter{
		provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(described)),
		scenario: attribute.String("scenario", scenario),
	}
	m.basic = metric.WithAttributeSet(attribute.NewSet(m.scenario))
	return m, m.instruments(ctx)
}

// reader obeys the variables; what they do not say is gRPC to endpoint.
func reader(ctx context.Context, endpoint string, getenv func(string) string) (sdkmetric.Reader, error) {
	return autoexport.NewMetricReader(ctx, autoexport.WithFallbackMetricReader(func(ctx context.Context) (sdkmetric.Reader, error) {
		var options []otlpmetricgrpc.Option
		if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") == "" {
			options = append(options, otlpmetricgrpc.WithEndpointURL(endpoint))
		}
		exporter, err := otlpmetricgrpc.New(ctx, options...)
		if err != nil {
			return nil, err
		}
		var pace []sdkmetric.PeriodicReaderOption
		if getenv("OTEL_METRIC_EXPORT_INTERVAL") == "" {
			pace = append(pace, sdkmetric.WithInterval(2*time.Second))
		}
		return sdkmetric.NewPeriodicReader(exporter, pace...), nil
	}))
}

// instruments registers all at zero, so that there are rates from the start.
func (m *Meter) instruments(ctx context.Context) error {
	meter := m.provider.Meter(name)
	var faults []error
	counter := func(name, what string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit("{request}"), metric.WithDescription(what))
		faults = append(faults, err)
		return c
	}
	histogram := func(name, what string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), buckets())
		faults = append(faults, err)
		return h
	}
	m.scheduled = counter("loadtest.requests.scheduled", "Requests that were due.")
	m.completed = counter("loadtest.requests.completed", "Requests that got an answer.")
	m.failed = counter("loadtest.requests.failed", "Requests that got no answer.")
	m.notStarted = counter("loadtest.requests.not_started", "Requests that were due and never sent.")
	m.late = counter("loadtest.requests.sent_late", "Requests that were sent noticeably later than they were due.")
	m.response = histogram("loadtest.response.duration", "Time from the moment at which a request was due to its answer.")
	m.service = histogram("loadtest.service.duration", "Time from the moment at which a request was sent to its answer.")
	var err error
	m.active, err = meter.Int64Gauge("loadtest.run.active", metric.WithUnit("{run}"), metric.WithDescription("1 while a run goes."))
	for _, c := range []metric.Int64Counter{m.scheduled, m.notStarted, m.late} {
		c.Add(ctx, 0, m.basic)
	}
	return errors.Join(append(faults, err)...)
}

// buckets are those of the service, so that both can be compared.
func buckets() metric.HistogramOption {
	return metric.WithExplicitBucketBoundaries(
		.0001, .00016, .00025, .0004, .00063,
		.001, .0016, .0025, .004, .0063,
		.01, .016, .025, .04, .063,
		.1, .25, 1, 2.5, 10,
	)
}

// Running says whether a run goes, and sends what there is.
func (m *Meter) Running(ctx context.Context, running bool) {
	var n int64
	if running {
		n = 1
	}
	m.active.Record(ctx, n, m.basic)
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := m.provider.ForceFlush(ctx); err != nil {
		otel.Handle(err)
	}
}

// Stop sends the rest.
func (m *Meter) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := m.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}

// Scheduled counts a request that is due.
func (m *Meter) Scheduled() { m.scheduled.Add(context.Background(), 1, m.basic) }

// NotStarted counts a request that was due and never sent.
func (m *Meter) NotStarted() { m.notStarted.Add(context.Background(), 1, m.basic) }

// Done counts and times a request that was sent.
func (m *Meter) Done(r load.Result) {
	ctx := context.Background()
	if r.Late() {
		m.late.Add(ctx, 1, m.basic)
	}
	if r.Failure != "" {
		m.failed.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(m.scenario, semconv.ErrorTypeKey.String(r.Failure))))
		return
	}
	m.completed.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(m.scenario,
		semconv.HTTPRequestMethodKey.String(r.Method), semconv.HTTPRoute(r.Route), semconv.HTTPResponseStatusCode(r.Status))))
	m.response.Record(ctx, r.Response().Seconds(), m.basic)
	m.service.Record(ctx, r.Service().Seconds(), m.basic)
}
