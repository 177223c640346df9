package otlp

import (
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// span appends s as a field of ScopeSpans.
func (e *encoder) span(s *Span) {
	start := e.begin(2)
	e.ids(s.Context)
	e.text(3, s.Context.TraceState().String())
	if id := s.Parent.SpanID(); id.IsValid() {
		e.bytes(4, id[:])
	}
	e.fixed32(16, flags(s.Context, s.Parent))
	e.text(5, s.Name)
	e.varint(6, uint64(kind(s.Kind)))
	e.moment(7, s.Start)
	e.moment(8, s.End)
	e.attributes(9, s.Attributes)
	e.count(10, s.DroppedAttributes)
	for i := range s.Events {
		e.event(&s.Events[i])
	}
	e.count(12, s.DroppedEvents)
	for i := range s.Links {
		e.link(&s.Links[i])
	}
	e.count(14, s.DroppedLinks)
	e.status(s.Status, s.Description)
	e.end(start)
}

func (e *encoder) ids(c trace.SpanContext) {
	traceID, spanID := c.TraceID(), c.SpanID()
	e.bytes(1, traceID[:])
	e.bytes(2, spanID[:])
}

// flags are the trace's, and whether the parent was in another process, which
// is always known.
func flags(c, parent trace.SpanContext) uint32 {
	f := uint32(c.TraceFlags()) | uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	if parent.IsRemote() {
		f |= uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
	}
	return f
}

// kind counts from INTERNAL on as OpenTelemetry's API does.
func kind(k trace.SpanKind) tracepb.Span_SpanKind {
	if k < trace.SpanKindInternal || k > trace.SpanKindConsumer {
		return tracepb.Span_SPAN_KIND_UNSPECIFIED
	}
	return tracepb.Span_SPAN_KIND_INTERNAL + tracepb.Span_SpanKind(k-trace.SpanKindInternal)
}

func (e *encoder) event(v *sdktrace.Event) {
	start := e.begin(11)
	e.moment(1, v.Time)
	e.text(2, v.Name)
	e.attributes(3, v.Attributes)
	e.count(4, v.DroppedAttributeCount)
	e.end(start)
}

func (e *encoder) link(l *sdktrace.Link) {
	start := e.begin(13)
	e.ids(l.SpanContext)
	e.attributes(4, l.Attributes)
	e.count(5, l.DroppedAttributeCount)
	e.fixed32(6, flags(l.SpanContext, l.SpanContext))
	e.end(start)
}

func (e *encoder) status(code codes.Code, description string) {
	start := e.begin(15)
	e.text(2, description)
	switch code {
	case codes.Ok:
		e.varint(3, uint64(tracepb.Status_STATUS_CODE_OK))
	case codes.Error:
		e.varint(3, uint64(tracepb.Status_STATUS_CODE_ERROR))
	}
	e.end(start)
}
