package spans

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// An encoder appends fields of protocol buffers to what it has, by the messages
// of opentelemetry/proto/trace/v1 and common/v1, whose numbers the calls below
// give. As proto3 wants it, a field without a value is left out.
type encoder []byte

// begin appends a field that is a message: what comes until end of its start.
func (e *encoder) begin(field protowire.Number) (start int) {
	*e = append(protowire.AppendTag(*e, field, protowire.BytesType), 0) // a length of one byte, as most have
	return len(*e)
}

func (e *encoder) end(start int) {
	b, size := *e, len(*e)-start
	if more := protowire.SizeVarint(uint64(size)) - 1; more > 0 {
		b = append(b, make([]byte, more)...)
		copy(b[start+more:], b[start:start+size])
	}
	protowire.AppendVarint(b[:start-1], uint64(size))
	*e = b
}

func (e *encoder) bytes(field protowire.Number, v []byte) {
	*e = protowire.AppendBytes(protowire.AppendTag(*e, field, protowire.BytesType), v)
}

func (e *encoder) text(field protowire.Number, v string) {
	if v != "" {
		e.anyText(field, v)
	}
}

// anyText is text also of an empty string. Whatever is no UTF-8 in it, as a path
// or a header can have it, is replaced: else nobody could decode the batch.
func (e *encoder) anyText(field protowire.Number, v string) {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, "\uFFFD")
	}
	*e = protowire.AppendString(protowire.AppendTag(*e, field, protowire.BytesType), v)
}

func (e *encoder) varint(field protowire.Number, v uint64) {
	*e = protowire.AppendVarint(protowire.AppendTag(*e, field, protowire.VarintType), v)
}

func (e *encoder) count(field protowire.Number, v int) {
	if v > 0 {
		e.varint(field, uint64(min(v, math.MaxUint32)))
	}
}

func (e *encoder) fixed32(field protowire.Number, v uint32) {
	*e = protowire.AppendFixed32(protowire.AppendTag(*e, field, protowire.Fixed32Type), v)
}

func (e *encoder) fixed64(field protowire.Number, v uint64) {
	*e = protowire.AppendFixed64(protowire.AppendTag(*e, field, protowire.Fixed64Type), v)
}

func (e *encoder) moment(field protowire.Number, t time.Time) {
	if ns := t.UnixNano(); ns > 0 {
		e.fixed64(field, uint64(ns))
	}
}

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

func (e *encoder) attributes(field protowire.Number, all []attribute.KeyValue) {
	for i := range all {
		start := e.begin(field)
		e.text(1, string(all[i].Key))
		e.value(2, all[i].Value)
		e.end(start)
	}
}

// value appends an AnyValue, which unlike other messages tells an empty value
// from none.
func (e *encoder) value(field protowire.Number, v attribute.Value) {
	start := e.begin(field)
	switch v.Type() {
	case attribute.STRING:
		e.anyText(1, v.AsString())
	case attribute.BOOL:
		e.varint(2, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		e.varint(3, uint64(v.AsInt64()))
	case attribute.FLOAT64:
		e.fixed64(4, math.Float64bits(v.AsFloat64()))
	case attribute.MAP:
		list := e.begin(6)
		e.attributes(1, v.AsMap())
		e.end(list)
	case attribute.BYTESLICE:
		e.bytes(7, v.AsByteSlice())
	case attribute.EMPTY:
	default:
		e.values(v)
	}
	e.end(start)
}

// values appends an ArrayValue.
func (e *encoder) values(v attribute.Value) {
	start := e.begin(5)
	switch v.Type() {
	case attribute.STRINGSLICE:
		each(e, v.AsStringSlice(), attribute.StringValue)
	case attribute.BOOLSLICE:
		each(e, v.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		each(e, v.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		each(e, v.AsFloat64Slice(), attribute.Float64Value)
	case attribute.SLICE:
		each(e, v.AsSlice(), func(v attribute.Value) attribute.Value { return v })
	}
	e.end(start)
}

func each[T any](e *encoder, all []T, value func(T) attribute.Value) {
	for _, v := range all {
		e.value(1, value(v))
	}
}
