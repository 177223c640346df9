package instrument

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// halfway has a shortcut for what is below /quick/.
type halfway struct{ *http.ServeMux }

func newHalfway() halfway {
	h := halfway{http.NewServeMux()}
	h.HandleFunc("GET /{speed}/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") })
	return h
}

func (halfway) Shortcut(w http.ResponseWriter, r *http.Request) (status, written int, done bool) {
	if r.URL.Path != "/quick/1" {
		return 0, 0, false
	}
	r.Pattern = "GET /{speed}/{id}"
	n, _ := io.WriteString(w, "quick")
	return http.StatusOK, n, true
}

// The same requests, by the shortcut and the whole way: metrics, spans and
// exemplars must be the same.
func TestShortcutIsMeasuredOrTracedUnlikeTheWholeWay(t *testing.T) {
	for name, c := range map[string]struct {
		path, parent, want string
		sampled            bool
		spans              int
	}{
		"not sampled":         {"/quick/1", "", "quick", false, 0},
		"sampled":             {"/quick/1", "", "quick", true, 1},
		"sampled parent":      {"/quick/1", sampledParent, "quick", false, 1},
		"unsampled parent":    {"/quick/1", unsampledParent, "quick", true, 0},
		"broken parent":       {"/quick/1", "00-xyz", "quick", true, 1},
		"has no shortcut":     {"/slow/1", "", "whole", true, 1},
		"not for other paths": {"/quick/2", sampledParent, "whole", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			both := newHalfway()
			short, answer := exchangeWith(t, both, c.path, c.parent, c.sampled)
			whole, _ := exchangeWith(t, both.ServeMux, c.path, c.parent, c.sampled)
			if answer != c.want || len(short.Spans) != c.spans {
				t.Errorf("answered by %s, want %s; %d spans, want %d", answer, c.want, len(short.Spans), c.spans)
			}
			if len(short.Metrics) != 4 {
				t.Errorf("there are %d metrics, want 4: %v", len(short.Metrics), short.Metrics)
			}
			if diff := cmp.Diff(whole, short); diff != "" {
				t.Errorf("- whole + short:\n%s", diff)
			}
		})
	}
}

// exchangeWith sends a request through the middleware around h.
func exchangeWith(t *testing.T, h http.Handler, path, parent string, sampled bool) (o observation, answer string) {
	root := sdktrace.NeverSample()
	if sampled {
		root = sdktrace.AlwaysSample()
	}
	r := newRig(t, root)
	r.Sampled = func(trace.TraceID) bool { return sampled }
	request := httptest.NewRequest("GET", path, nil)
	if parent != "" {
		request.Header.Set("Traceparent", parent)
	}
	w := httptest.NewRecorder()
	must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(h).ServeHTTP(w, request)
	return observation{Metrics: comparables(r.samples(t)), Spans: spanViews(r)}, w.Body.String()
}

func TestSpanOfAShortcutIsOfAnotherTraceOrTime(t *testing.T) {
	r := newRig(t, sdktrace.AlwaysSample())
	var asked trace.TraceID
	r.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans), sdktrace.WithIDGenerator(settled{}))
	r.Sampled = func(id trace.TraceID) bool { asked = id; return true }
	h := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(newHalfway())
	before := time.Now()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/quick/1", nil))
	span := r.spans.Ended()[0]
	if span.SpanContext().TraceID() != asked {
		t.Errorf("the trace is %s, the sampler was asked about %s", span.SpanContext().TraceID(), asked)
	}
	if span.StartTime().Before(before) || !span.EndTime().After(span.StartTime()) || span.EndTime().After(time.Now()) {
		t.Errorf("it lasts from %v to %v", span.StartTime(), span.EndTime())
	}
	exemplars := 0
	for _, s := range r.samples(t) {
		exemplars += s.Exemplars
	}
	if exemplars != 3 {
		t.Errorf("%d exemplars, want one of each histogram", exemplars)
	}
}

// settled gives a trace the id that it is to have.
type settled struct{}

func (settled) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, _ := RootID(ctx)
	return id, NewSpanID()
}

func (settled) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return NewSpanID() }
