package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/conf"
)

// operations are the kinds of calls a store can get.
type operations struct {
	insertApplication, selectApplications, updateApplication, deleteApplication         operation
	insertConfiguration, selectConfigurations, updateConfiguration, deleteConfiguration operation
	selectStore, selectChanges, deleteChanges                                           operation
}

// An operation is one kind of call, with everything that is known before it.
type operation struct {
	tracer    trace.Tracer
	duration  metric.Float64Histogram
	spanName  string
	spanStart []trace.SpanStartOption
	succeeded []metric.RecordOption
	failed    map[conf.Code][]metric.RecordOption
}

func newStore(next conf.Store, p Providers, system string) (*store, error) {
	duration, err1 := dbconv.NewClientOperationDuration(p.meter(), durationBuckets())
	payload, err2 := p.meter().Int64Histogram("config.payload.size",
		metric.WithUnit("By"),
		metric.WithDescription("Size of the JSON of each configuration kept."),
		sizeBuckets())
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	kind := func(verb, collection string) operation {
		return newOperation(p, duration.Inst(),
			semconv.DBSystemNameKey.String(system),
			semconv.DBOperationName(verb),
			semconv.DBCollectionName(collection))
	}
	return &store{next: next, payload: payload, operations: operations{
		insertApplication:    kind("INSERT", "applications"),
		selectApplications:   kind("SELECT", "applications"),
		updateApplication:    kind("UPDATE", "applications"),
		deleteApplication:    kind("DELETE", "applications"),
		insertConfiguration:  kind("INSERT", "configurations"),
		selectConfigurations: kind("SELECT", "configurations"),
		updateConfiguration:  kind("UPDATE", "configurations"),
		deleteConfiguration:  kind("DELETE", "configurations"),
		selectStore:          kind("SELECT", "store"),
		selectChanges:        kind("SELECT", "changes"),
		deleteChanges:        kind("DELETE", "changes"),
	}}, nil
}

func newOperation(p Providers, duration metric.Float64Histogram, system, verb, collection attribute.KeyValue) operation {
	failed := func(code conf.Code) []metric.RecordOption {
		return recordOptions(system, verb, collection, semconv.ErrorTypeKey.String(string(code)))
	}
	return operation{
		tracer:   p.tracer(),
		duration: duration,
		spanName: verb.Value.AsString() + " " + collection.Value.AsString(),
		spanStart: []trace.SpanStartOption{
			trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(system, verb, collection),
		},
		succeeded: recordOptions(system, verb, collection),
		failed: map[conf.Code][]metric.RecordOption{
			conf.Unavailable: failed(conf.Unavailable),
			conf.Internal:    failed(conf.Internal),
		},
	}
}

// A call is one operation on its way. It lives on the caller's stack.
type call struct {
	ctx       context.Context
	operation *operation
	start     time.Time
	span      trace.Span // nil when the caller's trace is not sampled
}

// start begins a call. Without a sampled caller it makes no span and its ctx is
// the one given, so nothing is allocated.
func (o *operation) start(ctx context.Context) call {
	c := call{ctx: ctx, operation: o, start: time.Now()}
	if trace.SpanContextFromContext(ctx).IsSampled() {
		c.ctx, c.span = o.tracer.Start(ctx, o.spanName, o.spanStart...)
	}
	return c
}

func (c *call) end(err error) {
	elapsed := time.Since(c.start)
	options, code := c.operation.succeeded, conf.CodeOf(err)
	failed, isFailure := c.operation.failed[code]
	if isFailure {
		options = failed
	}
	c.operation.duration.Record(c.ctx, seconds(elapsed), options...)
	if c.span == nil {
		return
	}
	if isFailure {
		c.span.SetAttributes(semconv.ErrorTypeKey.String(string(code)))
		c.span.SetStatus(codes.Error, err.Error())
	}
	c.span.End()
}
