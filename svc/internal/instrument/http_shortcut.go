package instrument

import (
	"cmp"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/otlp"
)

// A Shortcut is a handler that can answer some requests at less than the cost
// of a context and a wrapper. Such a request is measured like any other, and if
// it is sampled, has its span, which is made once it has been answered.
type Shortcut interface {
	http.Handler
	// Shortcut answers a request, notes the matched pattern in it, and tells
	// the status and how many bytes of the body it has written; or it returns
	// false and has done nothing.
	Shortcut(w http.ResponseWriter, r *http.Request) (status, written int, done bool)
}

// serveShortcut answers and measures a request, whose trace has this id unless
// it is its caller's; or it returns false and has done nothing.
func (s *server) serveShortcut(w http.ResponseWriter, r *http.Request, id trace.TraceID, next Shortcut) (done bool) {
	if s.sampled == nil || s.spans == nil && (hasParent(r) || s.sampled(context.Background(), id)) {
		return false
	}
	started := time.Since(s.epoch) // cheaper than the time of day
	method, https := knownMethod(r.Method), r.TLS != nil
	active := s.active.tally(method, https)
	active.Add(1)
	defer active.Add(-1)
	status, written, done := next.Shortcut(w, r)
	if !done {
		return false
	}
	is := s.seriesOf(seriesKey{pattern: r.Pattern, method: method, https: https, status: status})
	elapsed := time.Since(s.epoch) - started
	ctx := context.Background()
	if hasParent(r) {
		ctx = s.propagator.Extract(ctx, headerCarrier(r.Header))
	}
	var span trace.SpanContext
	if parent := trace.SpanContextFromContext(ctx); s.sampled(ctx, cmp.Or(parent.TraceID(), id)) {
		span = s.trace(r, parent, id, is, written, elapsed)
	}
	is.record(span, elapsed, 0, int64(written))
	return true
}

func hasParent(r *http.Request) bool { return len(r.Header["Traceparent"]) > 0 }

// trace makes the span of a request that has just been answered, as the tracer
// would have made it, and returns its context.
func (s *server) trace(r *http.Request, parent trace.SpanContext, id trace.TraceID, is *series, written int, elapsed time.Duration) trace.SpanContext {
	ended := time.Now()
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: cmp.Or(parent.TraceID(), id), SpanID: NewSpanID(),
		TraceFlags: parent.TraceFlags() | trace.FlagsSampled, TraceState: parent.TraceState(),
	})
	var room [16]attribute.KeyValue // on the stack: a queue keeps nothing
	s.spans.Add(&otlp.Span{
		Context: span, Parent: parent, Name: is.spanName, Kind: trace.SpanKindServer,
		Start: ended.Add(-elapsed), End: ended, Attributes: attributes(room[:0]).request(r).answer(is, 0, int64(written)), Status: is.spanStatus,
	})
	return span
}

type rootIDKey struct{}

// withRootID lets a trace that begins with ctx have this id.
func withRootID(ctx context.Context, id trace.TraceID) context.Context {
	return context.WithValue(ctx, rootIDKey{}, id)
}

// RootID returns the id that a trace which begins with ctx is to have. The
// tracer must heed it, or what has been measured without a trace and what is
// traced add up to other than what is sampled.
func RootID(ctx context.Context) (id trace.TraceID, ok bool) {
	id, ok = ctx.Value(rootIDKey{}).(trace.TraceID)
	return id, ok
}

// NewTraceID returns a valid id that nobody has had.
func NewTraceID() (id trace.TraceID) {
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()|1) // not all zero
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())   // of which samplers make use
	return id
}

// NewSpanID is like [NewTraceID] for a span.
func NewSpanID() (id trace.SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
