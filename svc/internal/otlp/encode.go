package otlp

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/encoding/protowire"
)

// An encoder appends fields of protocol buffers to what it has, by the messages
// of opentelemetry/proto/trace/v1, logs/v1 and common/v1, whose numbers the calls
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

func (e *encoder) attributes(field protowire.Number, all []attribute.KeyValue) {
	for i := range all {
		e.attribute(field, all[i])
	}
}

func (e *encoder) attribute(field protowire.Number, kv attribute.KeyValue) {
	start := e.begin(field)
	e.text(1, string(kv.Key))
	e.value(2, kv.Value)
	e.end(start)
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
