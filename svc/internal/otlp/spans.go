package otlp

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A SpanClient sends spans to a receiver. otlptrace.Client is one; it retries by
// itself, and no longer needs what it was given once it has returned.
type SpanClient interface {
	UploadTraces(context.Context, []*tracepb.ResourceSpans) error
	Stop(context.Context) error
}

// Spans is a queue of spans, an sdktrace.SpanProcessor. Its methods may be
// called concurrently.
type Spans struct{ *queue }

// NewSpans returns a queue of a process that is described by res. It works until
// Shutdown, which also stops client. That sending failed or spans were dropped is
// told to trouble.
func NewSpans(client SpanClient, res *resource.Resource, l Limits, trouble func(error)) *Spans {
	upload := func(ctx context.Context, resource []byte, scopes [][]byte) error {
		all := &tracepb.ResourceSpans{}
		all.ProtoReflect().SetUnknown(resource)
		for _, fields := range scopes {
			of := &tracepb.ScopeSpans{}
			of.ProtoReflect().SetUnknown(fields)
			all.ScopeSpans = append(all.ScopeSpans, of)
		}
		return client.UploadTraces(ctx, []*tracepb.ResourceSpans{all})
	}
	return &Spans{newQueue(signal{"traces", "spans", "OTEL_BSP_EXPORT_TIMEOUT", upload, client.Stop}, res, l, trouble)}
}

// A Span is one that has ended.
type Span struct {
	Context trace.SpanContext
	Parent  trace.SpanContext // invalid when the trace begins here
	Name    string
	Kind    trace.SpanKind

	Start, End  time.Time
	Attributes  []attribute.KeyValue
	Events      []sdktrace.Event
	Links       []sdktrace.Link
	Status      codes.Code
	Description string // of the status

	DroppedAttributes, DroppedEvents, DroppedLinks int
}

// Scope returns the scope of a name with the URL of a schema and nothing else.
func (q *Spans) Scope(name, schemaURL string) *Scope {
	return q.scope(instrumentation.Scope{Name: name, SchemaURL: schemaURL})
}

// Add queues a span of the scope, which is not kept. It never waits for a
// receiver: when the queue is full or stopped, the span is dropped.
func (s *Scope) Add(span *Span) { s.put(func(e *encoder) { e.span(span) }) }

// OnStart makes Spans an sdktrace.SpanProcessor. It does nothing.
func (q *Spans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd queues a span of the SDK's, if it is sampled, like [Scope.Add].
func (q *Spans) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	q.scope(s.InstrumentationScope()).Add(&Span{
		Context: s.SpanContext(), Parent: s.Parent(), Name: s.Name(), Kind: s.SpanKind(),
		Start: s.StartTime(), End: s.EndTime(),
		Attributes: s.Attributes(), Events: s.Events(), Links: s.Links(),
		Status: s.Status().Code, Description: s.Status().Description,
		DroppedAttributes: s.DroppedAttributes(), DroppedEvents: s.DroppedEvents(), DroppedLinks: s.DroppedLinks(),
	})
}
