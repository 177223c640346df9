package instrument

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"configservice/svc/internal/otlp"
)

// halfway has a shortcut for what is below /quick/.
type halfway struct{ *http.ServeMux }

func newHalfway() halfway {
	h := halfway{http.NewServeMux()}
	h.HandleFunc("GET /{speed}/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "whole")
	})
	return h
}

func (halfway) Shortcut(w http.ResponseWriter, r *http.Request) (status, written int, done bool) {
	status, quick := map[string]int{"/quick/1": http.StatusOK, "/quick/broken": http.StatusInternalServerError}[r.URL.Path]
	if !quick {
		return 0, 0, false
	}
	r.Pattern = "GET /{speed}/{id}"
	w.WriteHeader(status)
	n, _ := io.WriteString(w, "quick")
	return status, n, true
}

// The same requests, by the shortcut and the whole way: metrics and exemplars
// must be the same, and the spans as they are sent.
func TestShortcutIsMeasuredOrTracedUnlikeTheWholeWay(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		header http.Header
		want   string
		root   bool
		spans  int
	}{
		"not sampled":         {"/quick/1", nil, "quick", false, 0},
		"sampled":             {"/quick/1", nil, "quick", true, 1},
		"failed":              {"/quick/broken", nil, "quick", true, 1},
		"sampled parent":      {"/quick/1", header("Traceparent", sampledParent), "quick", false, 1},
		"parent with state":   {"/quick/1", header("Traceparent", sampledParent, "Tracestate", "a=b,c=d"), "quick", false, 1},
		"parent with flags":   {"/quick/1", header("Traceparent", strings.TrimSuffix(sampledParent, "01")+"03"), "quick", false, 1},
		"unsampled parent":    {"/quick/1", header("Traceparent", unsampledParent), "quick", true, 0},
		"broken parent":       {"/quick/1", header("Traceparent", "00-xyz", "Tracestate", "a=b"), "quick", true, 1},
		"all attributes":      {"/quick/1", header("User-Agent", "x", "X-Forwarded-For", "192.0.2.7"), "quick", true, 1},
		"has no shortcut":     {"/slow/1", nil, "whole", true, 1},
		"not for other paths": {"/quick/2", header("Traceparent", sampledParent), "whole", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			both := newHalfway()
			short := exchangeWith(t, both, c.path, c.header, c.root)
			whole := exchangeWith(t, both.ServeMux, c.path, c.header, c.root)
			if short.answer != c.want || len(short.spans) != c.spans {
				t.Errorf("answered by %s, want %s; %d spans, want %d", short.answer, c.want, len(short.spans), c.spans)
			}
			if len(short.metrics) != 4 {
				t.Errorf("there are %d metrics, want 4: %v", len(short.metrics), short.metrics)
			}
			if diff := cmp.Diff(whole.metrics, short.metrics); diff != "" {
				t.Errorf("- whole + short:\n%s", diff)
			}
			if diff := cmp.Diff(whole.spans, short.spans, protocmp.Transform(), unlike()); diff != "" {
				t.Errorf("- whole + short:\n%s", diff)
			}
		})
	}
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// unlike leaves out what is another in each span. That a root has a trace's id
// of its own is another test's.
func unlike() cmp.Option {
	span := (&tracepb.Span{}).ProtoReflect().Descriptor().Fields()
	return cmp.Options{
		protocmp.IgnoreDescriptors(span.ByName("span_id"), span.ByName("start_time_unix_nano"), span.ByName("end_time_unix_nano")),
		protocmp.FilterField(&tracepb.Span{}, "trace_id", cmp.Comparer(func(a, b []byte) bool {
			return bytes.Equal(a, b) || len(a) == len(b) && !isCallers(a) && !isCallers(b)
		})),
	}
}

func isCallers(id []byte) bool { return strings.Contains(sampledParent, hex.EncodeToString(id)) }

// A told is what a request made the middleware tell.
type told struct {
	answer  string
	metrics []sample
	spans   []*tracepb.ResourceSpans
}

// exchangeWith sends a request through the middleware around h; a trace that
// begins with it is sampled, or not.
func exchangeWith(t *testing.T, h http.Handler, path string, header http.Header, root bool) (o told) {
	r := newRig(t, sdktrace.NeverSample())
	sampler := sdktrace.ParentBased(map[bool]sdktrace.Sampler{false: sdktrace.NeverSample(), true: sdktrace.AlwaysSample()}[root])
	sent := r.send(sampler)
	request := httptest.NewRequest("GET", path, nil)
	maps.Copy(request.Header, header)
	w := httptest.NewRecorder()
	must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(h).ServeHTTP(w, request)
	return told{w.Body.String(), comparables(r.samples(t)), sent(t)}
}

// send lets spans be queued and sent; what is returned shuts the queue down and
// returns what has been sent.
func (r *rig) send(sampler sdktrace.Sampler) (sent func(*testing.T) []*tracepb.ResourceSpans) {
	var c client
	r.Spans = otlp.NewSpans(&c, resource.Empty(), otlp.Limits{Queue: 10, Batch: 10, Delay: time.Hour, Timeout: time.Minute}, nil)
	r.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithIDGenerator(settled{}), sdktrace.WithSpanProcessor(r.Spans))
	r.Sampled = func(parent context.Context, id trace.TraceID) bool {
		return sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: parent, TraceID: id}).Decision == sdktrace.RecordAndSample
	}
	return func(t *testing.T) []*tracepb.ResourceSpans {
		succeed(t, r.Spans.Shutdown(t.Context()))
		return c.sent
	}
}

// A client keeps what is sent by it.
type client struct{ sent []*tracepb.ResourceSpans }

func (*client) Stop(context.Context) error { return nil }

func (c *client) UploadTraces(_ context.Context, all []*tracepb.ResourceSpans) error {
	for _, encoded := range all {
		wire, err := proto.Marshal(encoded)
		if err != nil {
			return err
		}
		decoded := &tracepb.ResourceSpans{}
		if err := proto.Unmarshal(wire, decoded); err != nil {
			return err
		}
		c.sent = append(c.sent, decoded)
	}
	return nil
}

func TestSpanOfAShortcutIsOfAnotherTraceOrTime(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	sent := r.send(sdktrace.AlwaysSample())
	var asked trace.TraceID
	r.Sampled = func(_ context.Context, id trace.TraceID) bool { asked = id; return true }
	h := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(newHalfway())
	before := time.Now()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/quick/1", nil))
	span := sent(t)[0].ScopeSpans[0].Spans[0]
	if !bytes.Equal(span.TraceId, asked[:]) {
		t.Errorf("the trace is %x, the sampler was asked about %s", span.TraceId, asked)
	}
	started, ended := int64(span.StartTimeUnixNano), int64(span.EndTimeUnixNano)
	if started < before.UnixNano() || ended <= started || ended > time.Now().UnixNano() {
		t.Errorf("it lasts from %v to %v", started, ended)
	}
	exemplars := 0
	for _, s := range r.samples(t) {
		exemplars += s.Exemplars
	}
	if exemplars != 3 {
		t.Errorf("%d exemplars, want one of each histogram", exemplars)
	}
}

// Where there is no queue, as when spans go to the console.
func TestSampledRequestIsCutShortWithoutItsSpan(t *testing.T) {
	for _, c := range []struct {
		root    bool
		parent  string
		answers string
		spans   int
	}{
		{false, "", "quick", 0}, {true, "", "whole", 1}, {false, sampledParent, "whole", 1}, {true, unsampledParent, "whole", 0},
	} {
		r := newRig(t, map[bool]sdktrace.Sampler{false: sdktrace.NeverSample(), true: sdktrace.AlwaysSample()}[c.root])
		r.Sampled = func(ctx context.Context, _ trace.TraceID) bool {
			if parent := trace.SpanContextFromContext(ctx); parent.IsValid() {
				return parent.IsSampled()
			}
			return c.root
		}
		request := httptest.NewRequest("GET", "/quick/1", nil)
		if c.parent != "" {
			request.Header.Set("Traceparent", c.parent)
		}
		w := httptest.NewRecorder()
		must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(newHalfway()).ServeHTTP(w, request)
		if answer, n := w.Body.String(), len(r.spans.Ended()); answer != c.answers || n != c.spans {
			t.Errorf("%+v: answered by %s, %d spans", c, answer, n)
		}
	}
}

func TestSampledShortcutAllocates(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	sent := r.send(sdktrace.AlwaysSample())
	h := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(silent{})
	request := httptest.NewRequest("GET", "/quick/1", nil)
	for range 10 {
		h.ServeHTTP(discard{}, request)
	}
	succeed(t, r.Spans.ForceFlush(t.Context()))
	if n := testing.AllocsPerRun(8, func() { h.ServeHTTP(discard{}, request) }); n > 3 {
		t.Errorf("%v times, want 3: an exemplar in each histogram", n)
	}
	if all := sent(t); len(all) != 2 || len(all[1].ScopeSpans[0].Spans) != 9 {
		t.Errorf("sent: %v", all)
	}
}

// silent answers at no cost.
type silent struct{ http.Handler }

func (silent) Shortcut(_ http.ResponseWriter, r *http.Request) (status, written int, done bool) {
	r.Pattern = "GET /{speed}/{id}"
	return http.StatusOK, 5, true
}

// Samplers look at the second half.
func TestIDsOfTracesAreNotAsRandomAsASamplerTakesThem(t *testing.T) {
	const n, share = 1_000_000, .05
	sampler, sampled := sdktrace.TraceIDRatioBased(share), 0
	for range n {
		if sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: t.Context(), TraceID: NewTraceID()}).Decision == sdktrace.RecordAndSample {
			sampled++
		}
	}
	if deviation := math.Sqrt(n * share * (1 - share)); math.Abs(float64(sampled)-share*n) > 6*deviation {
		t.Errorf("%d of %d are sampled, want %v", sampled, n, share)
	}
}

// settled gives a trace the id that it is to have.
type settled struct{}

func (settled) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, _ := RootID(ctx)
	return id, NewSpanID()
}

func (settled) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return NewSpanID() }
