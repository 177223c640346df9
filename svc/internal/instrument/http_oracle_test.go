package instrument

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The same requests go through our middleware and through otelhttp, each on a
// real server; what they emit must be equal, but for the differences listed.

type oracleCase struct {
	name   string
	method string
	path   string
	body   io.Reader
	header map[string]string
}

const (
	sampledParent   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampledParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

func oracleCases() []oracleCase {
	cases := []oracleCase{
		{name: "known body", method: "POST", path: "/status/201", body: strings.NewReader(`{"a":1}`)},
		{name: "chunked body", method: "POST", path: "/status/201", body: io.MultiReader(strings.NewReader(`{"a":1}`))},
		{name: "body nobody reads", method: "POST", path: "/ignore", body: strings.NewReader(`{"a":1}`)},
		{name: "no content", method: "DELETE", path: "/status/204"},
		{name: "not modified", method: "GET", path: "/status/304"},
		{name: "no such path", method: "GET", path: "/no/such/path"},
		{name: "wrong method", method: "PUT", path: "/only-get"},
		{name: "collection path", method: "GET", path: "/collection/"},
		{name: "cleaned path", method: "GET", path: "/a/../only-get"},
		{name: "nothing written", method: "GET", path: "/silent"},
		{name: "status written twice", method: "GET", path: "/twice"},
		{name: "early hints", method: "GET", path: "/hints"},
		{name: "flushed", method: "GET", path: "/flush"},
		{name: "string written", method: "GET", path: "/string"},
		{name: "file", method: "GET", path: "/file"},
		{name: "panic", method: "GET", path: "/panic"},
		{name: "panic after the header", method: "GET", path: "/panic-late"},
		{name: "abort", method: "GET", path: "/abort"},
		{name: "unknown method", method: "FOO", path: "/status/200"},
		{name: "method in lower case", method: "get", path: "/status/200"},
		{name: "sampled parent", method: "GET", path: "/only-get", header: map[string]string{"Traceparent": sampledParent}},
		{name: "sampled parent with state", method: "GET", path: "/only-get",
			header: map[string]string{"Traceparent": sampledParent, "Tracestate": "a=b"}},
		{name: "unsampled parent", method: "GET", path: "/only-get", header: map[string]string{"Traceparent": unsampledParent}},
		{name: "broken parent", method: "GET", path: "/only-get", header: map[string]string{"Traceparent": "00-xyz"}},
		{name: "behind a proxy", method: "GET", path: "/only-get", header: map[string]string{"X-Forwarded-For": "192.0.2.1, 10.0.0.1"}},
		{name: "foreign host", method: "GET", path: "/only-get", header: map[string]string{"Host": "example.com:81"}},
		{name: "foreign host without port", method: "GET", path: "/only-get", header: map[string]string{"Host": "example.com"}},
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"} {
		cases = append(cases, oracleCase{name: "method " + method, method: method, path: "/status/200"})
	}
	for _, status := range []int{200, 400, 404, 405, 409, 412, 413, 422, 429, 500, 503} {
		cases = append(cases, oracleCase{name: fmt.Sprint("status ", status), method: "GET", path: fmt.Sprint("/status/", status)})
	}
	return cases
}

func oracleMux(t *testing.T) *http.ServeMux {
	file := filepath.Join(t.TempDir(), "file.txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 700)), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		var code int
		_, _ = fmt.Sscan(r.PathValue("code"), &code)
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, "hello")
	})
	handle := func(pattern string, f func(w http.ResponseWriter)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { f(w) })
	}
	handle("POST /ignore", func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) })
	handle("GET /only-get", func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, "got") })
	handle("GET /collection/{$}", func(w http.ResponseWriter) { _, _ = fmt.Fprint(w, "[]") })
	handle("GET /silent", func(http.ResponseWriter) {})
	handle("GET /twice", func(w http.ResponseWriter) { w.WriteHeader(202); w.WriteHeader(500) })
	handle("GET /hints", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(202) })
	handle("GET /flush", func(w http.ResponseWriter) { w.(http.Flusher).Flush(); _, _ = fmt.Fprint(w, "late") })
	handle("GET /string", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "string") })
	handle("GET /panic", func(http.ResponseWriter) { panic("on purpose") })
	handle("GET /panic-late", func(w http.ResponseWriter) { w.WriteHeader(202); panic("on purpose") })
	handle("GET /abort", func(http.ResponseWriter) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	return mux
}

// An observation is what one request made a middleware emit.
type observation struct {
	Metrics []sample
	Spans   []spanView
}

type spanView struct {
	Name, Kind, Status, TraceState string
	Attrs                          map[string]string
	Events                         []string
	Parent                         string
}

func observe(t *testing.T, c oracleCase, build func(*rig) func(http.Handler) http.Handler) observation {
	r := newRig(t, sdktrace.AlwaysSample())
	middleware := build(r)(oracleMux(t))
	finished := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer close(finished)
		middleware.ServeHTTP(w, req)
	}))
	server.Config.ErrorLog = quiet()
	server.Start()
	defer server.Close()
	send(t, server, c)
	<-finished
	return observation{Metrics: comparables(r.samples(t)), Spans: spanViews(r)}
}

func send(t *testing.T, server *httptest.Server, c oracleCase) {
	req, err := http.NewRequest(c.method, server.URL+c.path, c.body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	req.Host = c.header["Host"]
	// Each request is a new connection, which a client never repeats itself.
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return // a handler that panicked closed the connection
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// comparables leaves out what cannot be equal: how long it took, and buckets,
// which differ on purpose.
func comparables(samples []sample) []sample {
	for i := range samples {
		samples[i].Bounds, samples[i].Buckets = nil, nil
		if samples[i].Unit == "s" {
			samples[i].Value = 0
		}
		hidePorts(samples[i].Attrs)
	}
	return samples
}

// hidePorts makes ports equal that the system chose; that there is one stays.
func hidePorts(attrs map[string]string) {
	for _, k := range []string{"network.peer.port", "server.port"} {
		if v, ok := attrs[k]; ok && v != "81" {
			attrs[k] = "chosen"
		}
	}
}

func spanViews(r *rig) []spanView {
	var all []spanView
	for _, s := range r.spans.Ended() {
		v := spanView{Name: s.Name(), Kind: s.SpanKind().String(), Status: s.Status().Code.String() + s.Status().Description,
			TraceState: s.SpanContext().TraceState().String(), Attrs: attrMap(s.Attributes())}
		if s.Parent().IsValid() {
			v.Parent = s.Parent().TraceID().String() + s.Parent().SpanID().String()
		}
		for _, e := range s.Events() {
			v.Events = append(v.Events, e.Name)
		}
		hidePorts(v.Attrs)
		all = append(all, v)
	}
	return all
}

// A difference is where we mean to differ: edit turns otelhttp's observation of
// a case into ours, and reports whether there was anything to edit.
type difference struct {
	why  string
	edit func(c oracleCase, o *observation) bool
}

func deliberateDifferences() []difference {
	return []difference{
		{"a panic is a failed request and counts; otelhttp records nothing but a span without status", editPanic},
		{"a Host header is the client's to choose: as a label it lets an outsider create series",
			dropLabels("server.address", "server.port")},
		{"every series would be split by a protocol version that no panel shows",
			dropLabels("network.protocol.name", "network.protocol.version")},
		{"methods are case-sensitive (RFC 9110), also for ServeMux: get is none", editLowerCase},
		{"a path ends where its resource does: /{$} is how ServeMux spells it", editTrailingSlash},
		{"a request that matched nothing has a fixed route, or the label would be missing", editUnmatched},
		{"a span has the route too; otelhttp asks for it before the mux has set it", editSpanRoute},
		{"the conventions want error.type when a request failed", editErrorType},
		{"net/http counts a HEAD response's body, which it does not send", editHead},
		{"bytes of a file that the kernel sends are bytes; otelhttp misses ReadFrom", editFile},
		{"the conventions have http.server.active_requests; otelhttp does not emit it", editActive},
	}
}

func TestMiddlewareDivergesFromOtelhttpUnnoticed(t *testing.T) {
	used := map[string]bool{}
	for _, c := range oracleCases() {
		t.Run(c.name, func(t *testing.T) {
			again := oracleCases()[slices.IndexFunc(oracleCases(), func(o oracleCase) bool { return o.name == c.name })]
			ours := observe(t, c, func(r *rig) func(http.Handler) http.Handler {
				return must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))
			})
			theirs := observe(t, again, func(r *rig) func(http.Handler) http.Handler {
				return otelhttp.NewMiddleware("", otelhttp.WithMeterProvider(r.Meter),
					otelhttp.WithTracerProvider(r.Tracer), otelhttp.WithPropagators(r.Propagator))
			})
			for _, d := range deliberateDifferences() {
				if d.edit(c, &theirs) {
					used[d.why] = true
				}
			}
			slices.SortFunc(theirs.Metrics, func(a, b sample) int { return strings.Compare(a.key(), b.key()) })
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("otelhttp (-) and ours (+) differ:\n%s", diff)
			}
		})
	}
	for _, d := range deliberateDifferences() {
		if !used[d.why] {
			t.Errorf("no request shows this difference any more: %s", d.why)
		}
	}
}

func dropLabels(keys ...string) func(oracleCase, *observation) bool {
	return func(_ oracleCase, o *observation) (edited bool) {
		for _, s := range o.Metrics {
			for _, k := range keys {
				if _, ok := s.Attrs[k]; ok {
					delete(s.Attrs, k)
					edited = true
				}
			}
		}
		return edited
	}
}

func editPanic(c oracleCase, o *observation) bool {
	if !strings.HasPrefix(c.path, "/panic") && c.path != "/abort" {
		return false
	}
	// What otelhttp would have said of the same request had it ended in 500.
	labels := func() map[string]string {
		return map[string]string{"http.request.method": "GET", "http.route": c.path,
			"http.response.status_code": "500", "url.scheme": "http"}
	}
	for _, m := range [][3]string{
		{"http.server.request.duration", "s", "Duration of HTTP server requests."},
		{"http.server.request.body.size", "By", "Size of HTTP server request bodies."},
		{"http.server.response.body.size", "By", "Size of HTTP server response bodies."},
	} {
		o.Metrics = append(o.Metrics, sample{Name: m[0], Unit: m[1], Description: m[2], Kind: "histogram", Count: 1, Exemplars: 1, Attrs: labels()})
	}
	o.Spans[0].Name, o.Spans[0].Status = "GET "+c.path, "Error"
	o.Spans[0].Attrs["http.response.status_code"] = "500"
	return true
}

func editLowerCase(c oracleCase, o *observation) bool {
	if c.method != "get" {
		return false
	}
	for _, s := range o.Metrics {
		s.Attrs["http.request.method"] = "_OTHER"
	}
	o.Spans[0].Attrs["http.request.method"] = "_OTHER"
	o.Spans[0].Name = strings.Replace(o.Spans[0].Name, "GET", "HTTP", 1)
	return true
}

func editTrailingSlash(_ oracleCase, o *observation) (edited bool) {
	for _, s := range o.Metrics {
		if route, ok := strings.CutSuffix(s.Attrs["http.route"], "/{$}"); ok {
			s.Attrs["http.route"], edited = route, true
		}
	}
	for i := range o.Spans {
		o.Spans[i].Name = strings.TrimSuffix(o.Spans[i].Name, "/{$}")
	}
	return edited
}

func editUnmatched(_ oracleCase, o *observation) (edited bool) {
	for _, s := range o.Metrics {
		if _, ok := s.Attrs["http.route"]; !ok {
			s.Attrs["http.route"], edited = "unmatched", true
		}
	}
	return edited
}

func editSpanRoute(_ oracleCase, o *observation) (edited bool) {
	for _, s := range o.Spans {
		if _, route, ok := strings.Cut(s.Name, " "); ok {
			s.Attrs["http.route"], edited = route, true
		}
	}
	return edited
}

func editErrorType(_ oracleCase, o *observation) (edited bool) {
	add := func(attrs map[string]string) {
		if status := attrs["http.response.status_code"]; status >= "500" {
			attrs["error.type"], edited = status, true
		}
	}
	for _, s := range o.Metrics {
		add(s.Attrs)
	}
	for _, s := range o.Spans {
		add(s.Attrs)
	}
	return edited
}

func editHead(c oracleCase, o *observation) bool {
	if c.method != http.MethodHead {
		return false
	}
	setResponseSize(o, 0)
	delete(o.Spans[0].Attrs, "http.response.body.size")
	return true
}

func editFile(c oracleCase, o *observation) bool {
	if c.path != "/file" {
		return false
	}
	setResponseSize(o, 700)
	o.Spans[0].Attrs["http.response.body.size"] = "700"
	return true
}

func setResponseSize(o *observation, bytes float64) {
	for i := range o.Metrics {
		if o.Metrics[i].Name == "http.server.response.body.size" {
			o.Metrics[i].Value = bytes
		}
	}
}

func editActive(_ oracleCase, o *observation) bool {
	labels := o.Metrics[0].Attrs
	o.Metrics = append(o.Metrics, sample{
		Name: "http.server.active_requests", Unit: "{request}",
		Description: "Number of active HTTP server requests.", Kind: "up-down counter",
		Attrs: map[string]string{"http.request.method": labels["http.request.method"], "url.scheme": labels["url.scheme"]},
	})
	return true
}

// waitFor gives up on what a test waits for only when it is broken.
const waitFor = 10 * time.Second
