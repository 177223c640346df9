// Package spans encodes each span as OTLP the moment it has ended and sends
// batches of such bytes, so that what is left to do for a batch is to copy it.
//
// What comes out is what OpenTelemetry's own exporter gives for the same spans,
// field for field; a test holds the one against the other.
package spans

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

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

// A Scope is where spans come from: an instrumentation scope.
type Scope struct {
	queue  *Queue
	header encoder // of its ScopeSpans, before the spans
}

// Scope returns the scope of a name with the URL of a schema and nothing else.
func (q *Queue) Scope(name, schemaURL string) *Scope {
	return q.scope(instrumentation.Scope{Name: name, SchemaURL: schemaURL})
}

// scope takes a lock: callers keep what they will need again.
func (q *Queue) scope(is instrumentation.Scope) *Scope {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s, ok := q.scopes[is]; ok {
		return s
	}
	s := &Scope{queue: q}
	if is != (instrumentation.Scope{}) {
		start := s.header.begin(1)
		s.header.text(1, is.Name)
		s.header.text(2, is.Version)
		s.header.attributes(3, is.Attributes.ToSlice())
		s.header.end(start)
	}
	s.header.text(3, is.SchemaURL)
	q.scopes[is] = s
	return s
}

// Add queues a span of the scope, which is not kept. It never waits for a
// receiver: when the queue is full or stopped, the span is dropped.
func (s *Scope) Add(span *Span) { s.queue.add(s, span) }

// OnStart makes a Queue an sdktrace.SpanProcessor. It does nothing.
func (q *Queue) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd queues a span of the SDK's, if it is sampled, like [Scope.Add].
func (q *Queue) OnEnd(s sdktrace.ReadOnlySpan) {
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
