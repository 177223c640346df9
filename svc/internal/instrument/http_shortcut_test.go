package instrument

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/trace"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
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

func TestShortcutIsMeasuredUnlikeTheWholeWayOrTakenForATrace(t *testing.T) {
	const sampledParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for name, c := range map[string]struct {
		path, parent, want string
		sampled            bool
		spans              int
	}{
		"taken":               {"/quick/1", "", "quick", false, 0},
		"not for this one":    {"/slow/1", "", "whole", false, 0},
		"not when sampled":    {"/quick/1", "", "whole", true, 1},
		"not in another's":    {"/quick/1", sampledParent, "whole", false, 1},
		"not for other verbs": {"/quick/2", "", "whole", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := sdktrace.NeverSample()
			if c.sampled {
				root = sdktrace.AlwaysSample()
			}
			r := newRig(t, root)
			r.Sampled = func(trace.TraceID) bool { return c.sampled }
			h := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))(newHalfway())
			request := httptest.NewRequest("GET", c.path, nil)
			if c.parent != "" {
				request.Header.Set("Traceparent", c.parent)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			if got := w.Body.String(); got != c.want {
				t.Errorf("answered by %s, want %s", got, c.want)
			}
			const labels = "{http.request.method=GET,http.response.status_code=200,http.route=/{speed}/{id},url.scheme=http}"
			counts := r.counts(t, "http.server")
			for _, metric := range []string{"http.server.request.duration", "http.server.request.body.size", "http.server.response.body.size"} {
				if counts[metric+labels] != 1 {
					t.Errorf("%s counts %v", metric, counts[metric+labels])
				}
			}
			if got := r.values(t, "http.server")["http.server.response.body.size"+labels]; got == 0 {
				t.Error("the size of the answer is not counted")
			}
			if got := len(r.spans.Ended()); got != c.spans {
				t.Errorf("%d spans, want %d", got, c.spans)
			}
		})
	}
}
