package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakePrometheus tells what it was asked.
func fakePrometheus(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{
			"asked": r.Method + " " + r.URL.RequestURI(), "body": string(body),
			"cookie": r.Header.Get("Cookie"), "authorization": r.Header.Get("Authorization"),
		})
	}))
	t.Cleanup(server.Close)
	return server
}

func newViewer(t *testing.T, prometheus string) *httptest.Server {
	t.Helper()
	address, err := url.Parse(prometheus)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newHandler(options{prometheus: address, provisioning: "testdata/provisioning", runbooks: "../../docs/runbooks"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// ask returns the status and the body of an answer.
func ask(t *testing.T, method, address, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", "session=secret")
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func TestOnlyWhatReadsReachesPrometheus(t *testing.T) {
	viewer := newViewer(t, fakePrometheus(t).URL)
	for request, want := range map[string]int{
		"GET /api/v1/query?query=up":          200,
		"POST /api/v1/query":                  200,
		"POST /api/v1/query_range":            200,
		"POST /api/v1/series":                 200,
		"POST /api/v1/labels":                 200,
		"GET /api/v1/label/job/values":        200,
		"GET /api/v1/rules":                   200,
		"GET /api/v1/alerts":                  200,
		"GET /api/v1/targets?state=active":    200,
		"GET /api/v1/metadata":                200,
		"GET /api/v1/status/buildinfo":        200,
		"DELETE /api/v1/series":               403,
		"POST /api/v1/rules":                  403,
		"POST /api/v1/write":                  403,
		"POST /api/v1/admin/tsdb/snapshot":    403,
		"GET /api/v1/status/config":           403,
		"POST /-/quit":                        403,
		"POST /-/reload":                      403,
		"GET /api/v1/label/a%2Fb/values":      200,
		"GET /metrics":                        403,
		"POST /api/v1/query/../../../-/quit":  403,
		"GET /api/v1/..%2F..%2F-%2Fhealthy":   403,
		"GET /api/v1/label/%2E%2E/values":     200,
		"POST /api/v1/%2e%2e/%2e%2e/-/reload": 403,
	} {
		method, path, _ := strings.Cut(request, " ")
		resp, text := ask(t, method, viewer.URL+"/api/prometheus"+path, "query=up")
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d: %s", request, resp.StatusCode, want, text)
		}
	}
}

func TestPrometheusGetsTheQuestionAndNoCredentials(t *testing.T) {
	viewer := newViewer(t, fakePrometheus(t).URL+"/prefix")
	_, text := ask(t, "POST", viewer.URL+"/api/prometheus/api/v1/query", "query=up")
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"asked": "POST /prefix/api/v1/query", "body": "query=up", "cookie": "", "authorization": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestALostPrometheusIsNamed(t *testing.T) {
	gone := fakePrometheus(t)
	gone.Close()
	resp, text := ask(t, "POST", newViewer(t, gone.URL).URL+"/api/prometheus/api/v1/query", "query=up")
	if resp.StatusCode != http.StatusBadGateway || !strings.Contains(text, "no answer from Prometheus at "+gone.URL) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

func TestAnEndlessQueryIsCutOff(t *testing.T) {
	viewer := newViewer(t, fakePrometheus(t).URL)
	resp, _ := ask(t, "POST", viewer.URL+"/api/prometheus/api/v1/query", "query="+strings.Repeat("a", largestQuery))
	if resp.StatusCode < 400 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestFilesAndPages(t *testing.T) {
	viewer := newViewer(t, fakePrometheus(t).URL)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/healthz":                          {200, "ok"},
		"/":                                 {200, `<div id="root">`},
		"/d/sample":                         {200, `<div id="root">`},
		"/explore":                          {200, `<div id="root">`},
		"/alerts":                           {200, `<div id="root">`},
		"/runbooks/ServiceDown":             {200, `<div id="root">`},
		"/public/runbooks/ServiceDown.md":   {200, `<div id="root">`},
		"/api/dashboards":                   {200, `"uid":"sample"`},
		"/api/dashboards/sample":            {200, `"panels"`},
		"/api/dashboards/none":              {404, `has the uid \"none\"`},
		"/api/datasources":                  {200, `"timeInterval":"5s"`},
		"/api/runbooks":                     {200, `"ServiceDown"`},
		"/api/runbooks/ServiceDown":         {200, "# ServiceDown"},
		"/api/runbooks/None":                {404, `no runbook \"None\"`},
		"/api/runbooks/..%2F..%2FCHANGELOG": {404, "no runbook"},
		"/api/none":                         {404, "there is no /api/none here"},
		"/none":                             {404, "the dashboards are at /"},
		"/assets/none.js":                   {404, "the dashboards are at /"},
	} {
		resp, text := ask(t, "GET", viewer.URL+path, "")
		if resp.StatusCode != want.status || !strings.Contains(text, want.text) {
			t.Errorf("%s: %d %.200s", path, resp.StatusCode, text)
		}
		if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", path, policy)
		}
	}
}

func TestAFaultyDashboardFileIsListedWithItsFault(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"broken.json": "{", "nameless.json": "{}", "good.json": `{"uid":"good"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := dashboards{dir}.read()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, file := range files {
		got[file.File] = file.Error
	}
	want := map[string]string{"broken.json": "unexpected end of JSON input", "nameless.json": "it has no uid", "good.json": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAssetsAreCompressedAndKeptByTheBrowser(t *testing.T) {
	viewer := newViewer(t, fakePrometheus(t).URL)
	_, page := ask(t, "GET", viewer.URL, "")
	_, rest, _ := strings.Cut(page, `src="`)
	script, _, _ := strings.Cut(rest, `"`)
	resp, text := ask(t, "GET", viewer.URL+script, "")
	if !resp.Uncompressed { // the client asked for gzip and unpacked it
		t.Error("the script is not compressed")
	}
	if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") || len(text) < 100_000 {
		t.Errorf("%s: Cache-Control %q, %d bytes", script, got, len(text))
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", viewer.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := ask(t, "GET", viewer.URL, "")
	req.Header.Set("If-None-Match", first.Header.Get("ETag"))
	again, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Body.Close()
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("the page that the browser has: status %d", again.StatusCode)
	}
}

func TestFaultyOptionsAreToldTogether(t *testing.T) {
	var out, faults strings.Builder
	code := run(t.Context(), []string{"--listen", "nowhere", "--prometheus=9090", "--runbooks", "/none", "--provisionin=x", "more"},
		none, &out, &faults)
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"--listen", `--prometheus: "9090"`, `--runbooks: "/none"`, "-provisionin", `unexpected argument "more"`, "viewer --help"} {
		if !strings.Contains(faults.String(), want) {
			t.Errorf("the error does not name %s:\n%s", want, faults.String())
		}
	}
}
