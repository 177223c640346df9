package instrument

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"configservice/internal/testwait"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// middleware returns the HTTP middleware on a rig that samples no root.
func middleware(t testing.TB) (*rig, func(http.Handler) http.Handler) {
	t.Helper()
	r := newRig(t, sdktrace.NeverSample())
	return r, must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))
}

// serve runs h behind our middleware on a real server.
func serve(t *testing.T, h http.HandlerFunc) (*rig, *httptest.Server) {
	t.Helper()
	r, wrap := middleware(t)
	server := httptest.NewServer(wrap(h))
	server.Config.ErrorLog = quiet()
	t.Cleanup(server.Close)
	return r, server
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestShortAnswerIsSeenBeforeItIsRecorded(t *testing.T) {
	r, server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "short") })
	for i := range 50 {
		get(t, server.URL)
		key := "http.server.request.duration{http.request.method=GET,http.response.status_code=200,http.route=unmatched,url.scheme=http}"
		if n := r.values(t, "http.server.request.duration")[key]; n != float64(i+1) {
			t.Fatalf("after answer %d the count is %v", i+1, n)
		}
	}
}

func TestRequestInFlightIsNotActive(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r, server := serve(t, func(http.ResponseWriter, *http.Request) { close(entered); <-leave })
	answered := make(chan struct{})
	go func() { defer close(answered); get(t, server.URL) }()
	<-entered
	active := "http.server.active_requests{http.request.method=GET,url.scheme=http}"
	if got := r.values(t, "http.server.active_requests")[active]; got != 1 {
		t.Errorf("while the handler runs, %v requests are active", got)
	}
	close(leave)
	<-answered
	if got := r.values(t, "http.server.active_requests")[active]; got != 0 {
		t.Errorf("after the answer, %v requests are active", got)
	}
}

func TestRouteIsNotThePatternsPath(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                            "unmatched",
		"/":                           "unmatched",
		"GET /":                       "unmatched",
		"GET example.com/":            "unmatched",
		"GET /{$}":                    "/",
		"/{$}":                        "/",
		"GET /a":                      "/a",
		"GET /a/":                     "/a/",
		"GET /a/{id}":                 "/a/{id}",
		"GET /a/{$}":                  "/a",
		"GET\t /a/{rest...}":          "/a/{rest...}",
		"POST example.com/a/{id}/{$}": "/a/{id}",
	} {
		if got, matched := routeOf(pattern); got != want || matched != (want != "unmatched") {
			t.Errorf("routeOf(%q) = %q, %v; want %q", pattern, got, matched, want)
		}
	}
}

func TestSchemeOfTLSIsHTTP(t *testing.T) {
	r, wrap := middleware(t)
	server := httptest.NewTLSServer(wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for key := range r.values(t, "http.server") {
		if !strings.Contains(key, "url.scheme=https") {
			t.Error(key)
		}
	}
}

// What a handler can do with the server's own writer, it can do with ours.
func TestResponseWriterLosesWhatTheServersCanDo(t *testing.T) {
	type verdict = string
	for _, c := range []struct {
		name    string
		handler func(w http.ResponseWriter, r *http.Request) verdict
	}{
		{"deadlines", func(w http.ResponseWriter, _ *http.Request) verdict {
			c := http.NewResponseController(w)
			return fmt.Sprint(c.SetReadDeadline(time.Now().Add(time.Hour)), c.SetWriteDeadline(time.Now().Add(time.Hour)), c.EnableFullDuplex())
		}},
		{"flush", func(w http.ResponseWriter, _ *http.Request) verdict {
			w.(http.Flusher).Flush()
			return fmt.Sprint(http.NewResponseController(w).Flush())
		}},
		{"send a file", func(w http.ResponseWriter, _ *http.Request) verdict {
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("abc"))
			return fmt.Sprint(n, err)
		}},
		{"write a string", func(w http.ResponseWriter, _ *http.Request) verdict {
			n, err := w.(io.StringWriter).WriteString("abc")
			return fmt.Sprint(n, err)
		}},
		{"body stays absent", func(_ http.ResponseWriter, r *http.Request) verdict {
			return fmt.Sprint(r.Body == http.NoBody)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bare, wrapped verdict
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { bare = c.handler(w, r) }))
			defer server.Close()
			_, wrappedServer := serve(t, func(w http.ResponseWriter, r *http.Request) { wrapped = c.handler(w, r) })
			_, bareBody := get(t, server.URL)
			_, wrappedBody := get(t, wrappedServer.URL)
			if bare != wrapped || bareBody != wrappedBody {
				t.Errorf("bare server: %q, %q; wrapped: %q, %q", bare, bareBody, wrapped, wrappedBody)
			}
		})
	}
}

func TestHijackedConnectionIsCountedAsAnswered(t *testing.T) {
	r, server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
	})
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	key := "http.server.request.duration{http.request.method=GET,http.response.status_code=101,http.route=unmatched,url.scheme=http}"
	testwait.Until(t, "the request is counted", func() bool { return r.values(t, "http.server.request.duration")[key] == 1 })
}

func TestServerWithoutFlushOrHijackIsSaidToHaveThem(t *testing.T) {
	_, wrap := middleware(t)
	wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := c.Flush(); err == nil {
			t.Error("Flush reports success")
		}
		if _, _, err := c.Hijack(); err == nil {
			t.Error("Hijack reports success")
		}
	})).ServeHTTP(discard{}, httptest.NewRequest("GET", "/", nil))
}

// The server deletes the files of a form that it finds on its own request.
func TestUploadedFilesStayOnDisk(t *testing.T) {
	var path string
	_, server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
			return
		}
		file, err := r.MultipartForm.File["f"][0].Open()
		if err != nil {
			t.Error(err)
			return
		}
		path = file.(*os.File).Name()
		_ = file.Close()
	})
	body, form := &strings.Builder{}, (*multipart.Writer)(nil)
	form = multipart.NewWriter(body)
	part := must[io.Writer](t)(form.CreateFormFile("f", "f"))
	_, _ = part.Write(make([]byte, 11<<20))
	_ = form.Close()
	resp, err := http.Post(server.URL, form.FormDataContentType(), strings.NewReader(body.String()))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	testwait.Until(t, "the file is gone", func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
}

func TestPanicIsSwallowed(t *testing.T) {
	_, wrap := middleware(t)
	cause := fmt.Errorf("on purpose")
	for _, sampled := range []string{sampledParent, unsampledParent} {
		func() {
			defer func() {
				if got := recover(); got != cause {
					t.Errorf("recovered %v, not what the handler panicked with", got)
				}
			}()
			req := httptest.NewRequest("GET", "/", nil)
			req.Header.Set("Traceparent", sampled)
			wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(cause) })).ServeHTTP(httptest.NewRecorder(), req)
		}()
	}
}

func TestHandlerDoesNotSeeTheTrace(t *testing.T) {
	r, wrap := middleware(t)
	for _, c := range []struct {
		parent string
		spans  int
	}{{sampledParent, 1}, {unsampledParent, 1}} {
		var trace string
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("Traceparent", c.parent)
		wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { trace = TraceID(r.Context()) })).
			ServeHTTP(httptest.NewRecorder(), req)
		if want := strings.Split(c.parent, "-")[1]; trace != want {
			t.Errorf("the handler's trace is %q, the caller's %q", trace, want)
		}
		if n := len(r.spans.Ended()); n != c.spans {
			t.Errorf("%d spans after a request with %s", n, c.parent)
		}
	}
}

// Whatever a client sends, the series stay those of the routes.
func TestClientGrowsTheNumberOfSeries(t *testing.T) {
	r, wrap := middleware(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /known/{id}", func(http.ResponseWriter, *http.Request) {})
	h := wrap(mux)
	request := func(method, path, host string) {
		req := httptest.NewRequest("GET", path, nil)
		req.Method, req.Host = method, host
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
	for _, method := range []string{"GET", "POST", "FOO"} {
		request(method, "/known/1", "example.com")
		request(method, "/x", "example.com")
	}
	before := keys(r.samples(t))
	for i := range 500 {
		request("GET", fmt.Sprintf("/known/secret-id-%d", i), fmt.Sprintf("secret-host-%d", i))
		request("GET", fmt.Sprintf("/secret-path-%d", i), fmt.Sprintf("secret-host-%d:%d", i, i))
		request(fmt.Sprintf("SECRET%d", i), "/known/1", "example.com")
	}
	after := keys(r.samples(t))
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("series grew:\n%s", diff)
	}
	if all := strings.Join(after, "\n"); strings.Contains(strings.ToLower(all), "secret") || strings.Contains(all, "example.com") {
		t.Errorf("a label has what a client chose:\n%s", all)
	}
}

// Even a router that writes paths where patterns belong cannot pass the limit.
func TestBrokenRouterGrowsTheNumberOfSeriesWithoutEnd(t *testing.T) {
	r, wrap := middleware(t)
	i := 0
	h := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { i++; r.Pattern = fmt.Sprintf("/%d", i) }))
	for range maxSeries + 500 {
		h.ServeHTTP(discard{}, httptest.NewRequest("GET", "/", nil))
	}
	durations := r.values(t, "http.server.request.duration")
	key := "http.server.request.duration{http.request.method=GET,http.response.status_code=200,http.route=unmatched,url.scheme=http}"
	if durations[key] != 500 {
		t.Errorf("%v requests past the limit are unmatched, want 500 (of %d series)", durations[key], len(durations))
	}
}

func keys(samples []sample) []string {
	var all []string
	for _, s := range samples {
		all = append(all, s.key())
	}
	return all
}

// The number that issue after issue builds on: a request that is not sampled
// costs four allocations, and one more for a caller's trace.
func TestUnsampledRequestAllocatesMore(t *testing.T) {
	_, wrap := middleware(t)
	h := wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, c := range []struct {
		parent string
		most   float64
	}{{"", 4}, {unsampledParent, 6}} {
		req := httptest.NewRequest("GET", "/", nil)
		if c.parent != "" {
			req.Header.Set("Traceparent", c.parent)
		}
		if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(discard{}, req) }); n > c.most {
			t.Errorf("%v allocations a request with parent %q, at most %v", n, c.parent, c.most)
		}
	}
}

// Who knows what is sampled does not ask the tracer, and tells the handler the
// same of a span that is not.
func TestSpanThatIsNotSampledDiffersFromTheTracers(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	seen := func(p Providers, parent string) (sc trace.SpanContext) {
		h := must[func(http.Handler) http.Handler](t)(HTTP(p))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if sc = trace.SpanContextFromContext(r.Context()); trace.SpanFromContext(r.Context()).IsRecording() {
				t.Error("it records")
			}
		}))
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("Traceparent", parent)
		req.Header.Set("Tracestate", "vendor=x")
		h.ServeHTTP(discard{}, req)
		return sc
	}
	knowing := r.Providers
	knowing.Sampled = func(context.Context, trace.TraceID) bool { return false }
	for _, parent := range []string{"", unsampledParent, strings.TrimSuffix(unsampledParent, "00") + "02"} {
		want, got := seen(r.Providers, parent), seen(knowing, parent)
		if !got.IsValid() || got.IsRemote() || got.SpanID() == want.SpanID() || got.TraceFlags() != want.TraceFlags() ||
			got.TraceState().String() != want.TraceState().String() || (parent != "") != (got.TraceID() == want.TraceID()) {
			t.Errorf("with the parent %q: %+v, the tracer's is %+v", parent, got, want)
		}
	}
}

func TestLongPollCountsAsASlowRead(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(http.ResponseWriter, *http.Request) {})
	h := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(mux)
	for _, target := range []string{"/things/1", "/things/1?wait=30s", "/things/1?version=3&wait=1s", "/things/1?await=1s", "/none?wait=1s"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	got := map[string]int{}
	for _, s := range r.samples(t) {
		if s.Name == "http.server.request.duration" {
			got[s.Attrs["http.route"]] += int(s.Count)
		}
	}
	if diff := cmp.Diff(map[string]int{"/things/{id}": 2, "/things/{id}?wait": 2, "unmatched": 1}, got); diff != "" {
		t.Errorf("requests by route (-want +got)\n%s", diff)
	}
}

func TestPortOfTheSchemeIsNamedOrAnotherIsNot(t *testing.T) {
	for _, c := range []struct {
		host  string
		https bool
		want  string
	}{
		{"example.com:80", false, ""}, {"example.com:443", true, ""}, {"example.com", true, ""},
		{"example.com:443", false, "443"}, {"example.com:80", true, "80"}, {"[::1]:8000", false, "8000"},
	} {
		if got := attrMap(attributes(nil).server(c.host, c.https))["server.port"]; got != c.want {
			t.Errorf("%s, https %v: the port is %q, want %q", c.host, c.https, got, c.want)
		}
	}
}
