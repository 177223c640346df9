package otlp

import (
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"
)

// record appends r as a field of ScopeLogs.
func (e *encoder) record(r *sdklog.Record) {
	start := e.begin(2)
	e.written(r.Timestamp(), r.ObservedTimestamp(), r.Severity(), r.SeverityText())
	e.value(5, r.Body())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		e.attribute(6, kv)
		return true
	})
	e.count(7, r.DroppedAttributes())
	e.traced(r.TraceID(), r.SpanID(), r.TraceFlags())
	e.text(12, r.EventName())
	e.end(start)
}

// line appends what the SDK would make of a plain record.
func (e *encoder) line(r slog.Record, observed time.Time, c trace.SpanContext) {
	start := e.begin(2)
	e.written(r.Time, observed, severity(r.Level), r.Level.String())
	e.value(5, attribute.StringValue(r.Message))
	r.Attrs(func(a slog.Attr) bool {
		v, _ := plainValue(a.Value)
		e.attribute(6, attribute.KeyValue{Key: attribute.Key(a.Key), Value: v})
		return true
	})
	e.traced(c.TraceID(), c.SpanID(), c.TraceFlags())
	e.end(start)
}

// plain tells whether all attributes are of the kinds that nearly all have, so
// that no code of others runs when they are encoded, and the SDK would keep them.
func plain(r slog.Record) (ok bool) {
	const sdkKeeps = 128
	ok = r.NumAttrs() <= sdkKeeps
	r.Attrs(func(a slog.Attr) bool {
		_, known := plainValue(a.Value)
		ok = ok && known && a.Key != ""
		return ok
	})
	return ok
}

func plainValue(v slog.Value) (_ attribute.Value, ok bool) {
	switch v.Kind() {
	case slog.KindString:
		return attribute.StringValue(v.String()), true
	case slog.KindInt64:
		return attribute.Int64Value(v.Int64()), true
	case slog.KindBool:
		return attribute.BoolValue(v.Bool()), true
	}
	return attribute.Value{}, false
}

// severity is the level by OpenTelemetry's numbers.
func severity(l slog.Level) log.Severity {
	return log.Severity(l-slog.LevelDebug) + log.SeverityDebug
}

func (e *encoder) written(at, observed time.Time, s log.Severity, level string) {
	e.moment(1, at)
	e.moment(11, observed)
	if s >= log.SeverityTrace && s <= log.SeverityFatal4 { // others have no number
		e.varint(2, uint64(s))
	}
	e.text(3, level)
}

func (e *encoder) traced(id trace.TraceID, span trace.SpanID, flags trace.TraceFlags) {
	if flags != 0 {
		e.fixed32(8, uint32(flags))
	}
	if id.IsValid() {
		e.bytes(9, id[:])
	}
	if span.IsValid() {
		e.bytes(10, span[:])
	}
}
