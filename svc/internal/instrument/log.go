package instrument

import (
	"context"
	"encoding/hex"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// TraceID returns the id of ctx's trace in hexadecimal, "" when there is none.
func TraceID(ctx context.Context) string {
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		return id.String()
	}
	return ""
}

// LogHandler returns next with trace_id and span_id on every record whose
// context is part of a trace. They stay at the top also below WithGroup, where
// somebody who searches for a trace expects them.
func LogHandler(next slog.Handler) slog.Handler {
	return logHandler{top: next, next: next}
}

type logHandler struct {
	top  slog.Handler                      // next before the first group
	next slog.Handler                      // with all that was added
	redo []func(slog.Handler) slog.Handler // what leads from top to next
}

func (h logHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.next.Enabled(ctx, l)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return h.next.Handle(ctx, r)
	}
	traceID, spanID := hexIDs(span)
	if len(h.redo) == 0 {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", traceID), slog.String("span_id", spanID))
		return h.next.Handle(ctx, r)
	}
	return h.belowGroup(slog.String("trace_id", traceID), slog.String("span_id", spanID)).Handle(ctx, r)
}

// hexIDs returns the ids in hexadecimal, of one allocation.
func hexIDs(c trace.SpanContext) (traceID, spanID string) {
	of, in := c.TraceID(), c.SpanID()
	var b [2 * (len(of) + len(in))]byte
	hex.Encode(b[:], of[:])
	hex.Encode(b[2*len(of):], in[:])
	both := string(b[:])
	return both[:2*len(of)], both[2*len(of):]
}

// belowGroup puts the ids in front of the first group and repeats the rest.
func (h logHandler) belowGroup(ids ...slog.Attr) slog.Handler {
	next := h.top.WithAttrs(ids)
	for _, add := range h.redo {
		next = add(next)
	}
	return next
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := h.next.WithAttrs(attrs)
	if len(h.redo) == 0 {
		return logHandler{top: next, next: next}
	}
	return h.add(next, func(n slog.Handler) slog.Handler { return n.WithAttrs(attrs) })
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.add(h.next.WithGroup(name), func(n slog.Handler) slog.Handler { return n.WithGroup(name) })
}

func (h logHandler) add(next slog.Handler, step func(slog.Handler) slog.Handler) slog.Handler {
	return logHandler{top: h.top, next: next, redo: append(slices.Clip(h.redo), step)}
}

// LogLevel returns next without the records below level.
func LogLevel(next slog.Handler, level slog.Leveler) slog.Handler {
	return levelHandler{Handler: next, level: level}
}

type levelHandler struct {
	slog.Handler
	level slog.Leveler
}

func (h levelHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level.Level() && h.Handler.Enabled(ctx, l)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.level}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.level}
}
