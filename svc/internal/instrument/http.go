package instrument

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/histogram"
	"configservice/svc/internal/otlp"
)

// HTTP returns middleware that measures every request by the semantic
// conventions for HTTP servers: http.server.request.duration, .active_requests,
// .request.body.size and .response.body.size, and a server span whose parent is
// the caller's.
//
// The route is what the ServeMux inside writes into Request.Pattern, so nothing
// between this middleware and the mux may clone the request. A request that
// matched no pattern, or only "/", has the route "unmatched"; a long poll, known
// by its query's "wait", has that of its pattern with "?wait" behind it.
//
// A handler that panics counts as status 500, whatever it had sent; the panic
// goes on to the server.
//
// Each request is recorded exactly once, when its handler returns. Then a
// response of up to a few KiB is still in net/http's buffer, so its client
// cannot know of it before the record does. The end of a longer or flushed one
// may reach its client some microseconds earlier: who compares counts must let
// that much time pass after the last answer, and http.Server.Shutdown, which
// waits for handlers, does.
//
// A request that is not sampled costs four allocations: the request's clone,
// the span, its context, and the wrapper of body and response; and none at all
// when the handler has a shortcut for it, see [Shortcut], and it is part of no
// caller's trace. There, a request that is sampled costs three, for exemplars.
func HTTP(p Providers) (func(http.Handler) http.Handler, error) {
	s, err := newServer(p)
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		shortcut, _ := next.(Shortcut)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := NewTraceID()
			if shortcut == nil || !s.serveShortcut(w, r, id, shortcut) {
				s.serve(w, r, id, next)
			}
		})
	}, nil
}

type server struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	spanKind   []trace.SpanStartOption // one

	duration, requestSize, responseSize *histogram.Histogram

	active  *active
	series  *cache[seriesKey, *series]
	sampled func(context.Context, trace.TraceID) bool
	spans   *otlp.Scope // nil: all are the tracer's
	epoch   time.Time   // some moment, to measure from
}

func newServer(p Providers) (*server, error) {
	active, err := newActive(p.meter())
	duration, requestSize, responseSize := httpconv.ServerRequestDuration{}, httpconv.ServerRequestBodySize{}, httpconv.ServerResponseBodySize{}
	return &server{
		tracer:       p.tracer(),
		propagator:   p.Propagator,
		spanKind:     []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		duration:     p.Histograms.Durations(duration.Name(), duration.Description(), durationBounds()),
		requestSize:  p.Histograms.Sizes(requestSize.Name(), requestSize.Description(), sizeBounds()),
		responseSize: p.Histograms.Sizes(responseSize.Name(), responseSize.Description(), sizeBounds()),
		active:       active,
		series:       newCache[seriesKey, *series](maxSeries),
		sampled:      p.Sampled,
		spans:        p.spans(),
		epoch:        time.Now(),
	}, err
}

func (s *server) serve(w http.ResponseWriter, r *http.Request, id trace.TraceID, next http.Handler) {
	x := &exchange{start: time.Now(), method: knownMethod(r.Method), https: r.TLS != nil}
	var ctx context.Context
	ctx, x.span = s.begin(r, x.method, id)
	// Deferred by itself, End sees a panic and notes it as the span's event.
	defer x.span.End()
	if x.span.IsRecording() {
		x.span.SetAttributes(make(attributes, 0, 12).request(r)...)
	}
	inner := r.WithContext(ctx)
	x.wrap(w, inner)
	active := s.active.tally(x.method, x.https)
	active.Add(1)
	defer active.Add(-1)
	defer s.finish(ctx, x, r, inner)
	next.ServeHTTP(&x.response, inner)
	x.returned = true
}

// begin returns the context and the span of a request, whose trace has this id
// unless it is its caller's. A span that is not sampled is nothing but its ids,
// so the tracer, which would take longer, is not asked for it.
func (s *server) begin(r *http.Request, method string, id trace.TraceID) (context.Context, trace.Span) {
	ctx := s.propagator.Extract(r.Context(), headerCarrier(r.Header))
	if s.sampled == nil {
		return s.tracer.Start(ctx, spanMethod(method), s.spanKind...)
	}
	parent := trace.SpanContextFromContext(ctx)
	if s.sampled(ctx, cmp.Or(parent.TraceID(), id)) {
		return s.tracer.Start(withRootID(ctx, id), spanMethod(method), s.spanKind...)
	}
	ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: cmp.Or(parent.TraceID(), id), SpanID: NewSpanID(),
		TraceFlags: parent.TraceFlags() &^ trace.FlagsSampled, TraceState: parent.TraceState(),
	}))
	return ctx, trace.SpanFromContext(ctx)
}

// finish records what became of the request, also while a panic unwinds.
func (s *server) finish(ctx context.Context, x *exchange, r, inner *http.Request) {
	elapsed := time.Since(x.start)
	// net/http removes the files of a form that it finds on its own request.
	r.MultipartForm = inner.MultipartForm
	is := s.seriesOf(seriesKey{
		pattern: inner.Pattern, method: x.method, https: x.https, status: x.status(), waits: waits(r),
	})
	is.record(trace.SpanContextFromContext(ctx), elapsed, x.body.read.Load(), x.response.written)
	if x.span.IsRecording() {
		x.span.SetName(is.spanName)
		x.span.SetAttributes(make(attributes, 0, 6).answer(is, x.body.read.Load(), x.response.written)...)
		x.span.SetStatus(is.spanStatus, "")
	}
}
