package otlp

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/trace"
)

// Handler returns next, which must lead to q by a logger of the SDK's with this
// name, but for plain records, which q gets without the SDK.
func (q *Records) Handler(name string, next slog.Handler) slog.Handler {
	return handler{next, q.scope(instrumentation.Scope{Name: name})}
}

// A handler is one without attributes and groups of its own: with these it is
// next.
type handler struct {
	slog.Handler
	scope *Scope
}

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if !plain(r) {
		return h.Handler.Handle(ctx, r)
	}
	observed, span := time.Now(), trace.SpanContextFromContext(ctx)
	h.scope.put(func(e *encoder) { e.line(r, observed, span) })
	return nil
}
