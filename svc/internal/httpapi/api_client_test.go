package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// An api is a service of the test's own, called over HTTP.
type api struct {
	t        *testing.T
	contract *contract
	server   *httptest.Server
}

// serve starts a service on a new SQLite file.
func serve(t *testing.T, c *contract) *api {
	t.Helper()
	return serveWith(t, c, httpapi.Options{Store: openStore(t)})
}

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "config.db"),
		sqlstore.Options{Timeout: time.Minute}) // a hundred writers on a busy machine are no fault of the store
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// serveWith starts a service with these options.
func serveWith(t *testing.T, c *contract, o httpapi.Options) *api {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if _, broken := o.Store.(brokenStore); o.Watch.Feed == nil && !broken {
		o.Watch.Feed = startTold(t, watch.Options{Source: o.Store})
	}
	o.Metrics = promhttp.HandlerFor(prometheus.NewRegistry(), promhttp.HandlerOpts{EnableOpenMetrics: true})
	handler, err := httpapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &api{t, c, server}
}

// run is t.Run for a part of the test that calls the same service.
func (a *api) run(name string, part func(*testing.T, *api)) {
	a.t.Helper()
	a.t.Run(name, func(t *testing.T) { part(t, &api{t, a.contract, a.server}) })
}

// client returns a client whose exchanges are held against the contract.
func (a *api) client() *http.Client {
	return &http.Client{
		Transport: witness{a.t, a.contract, a.server.Client().Transport},
		// A redirect is an answer that the contract does not have.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A call is a request to be made.
type call struct {
	method, path string
	body         string
	header       map[string]string // over the usual ones; an empty value sends none
	chunked      bool              // send the body without telling its length
	beyond       string            // what is wrong with it that OpenAPI has no words for
}

// beyondOpenAPI marks the context of a request that is wrong in a way that
// OpenAPI has no words for.
type beyondOpenAPI struct{}

// An answer is a response read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a *api) do(c call) answer {
	a.t.Helper()
	got, err := a.tryDo(c)
	if err != nil {
		a.t.Fatal(err)
	}
	return got
}

// tryDo is do for goroutines, which must not stop the test.
func (a *api) tryDo(c call) (answer, error) {
	r, err := a.request(c)
	if err != nil {
		return answer{}, err
	}
	res, err := a.client().Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}, err
}

func (a *api) request(c call) (*http.Request, error) {
	ctx := a.t.Context()
	if c.beyond != "" {
		ctx = context.WithValue(ctx, beyondOpenAPI{}, c.beyond)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, a.server.URL+c.path, c.reader())
	if err != nil {
		return nil, err
	}
	switch c.method {
	case http.MethodPatch:
		r.Header.Set("Content-Type", "application/merge-patch+json")
	case http.MethodPost, http.MethodPut:
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.header {
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	return r, nil
}

func (c call) reader() io.Reader {
	if c.body == "" {
		return nil
	}
	if c.chunked {
		return io.NopCloser(strings.NewReader(c.body)) // of a type whose length net/http does not know
	}
	return strings.NewReader(c.body)
}

// want makes the call and stops the test unless it is answered with status.
func (a *api) want(status int, c call) answer {
	a.t.Helper()
	got := a.do(c)
	if got.status != status {
		a.t.Fatalf("%s %s answered %d, want %d: %.600s", c.method, c.path, got.status, status, got.body)
	}
	return got
}

func (a *api) get(path string) answer {
	a.t.Helper()
	return a.want(http.StatusOK, call{method: "GET", path: path})
}

// The contract's resources, as a client would declare them.
type (
	application struct {
		ID               string    `json:"id"`
		Name             string    `json:"name"`
		Comments         *string   `json:"comments"`
		Revision         int64     `json:"revision"`
		CreatedAt        time.Time `json:"created_at"`
		UpdatedAt        time.Time `json:"updated_at"`
		ConfigurationIDs []string  `json:"configuration_ids"`
	}
	configuration struct {
		ID            string          `json:"id"`
		ApplicationID string          `json:"application_id"`
		Name          string          `json:"name"`
		Comments      *string         `json:"comments"`
		Config        json.RawMessage `json:"config"`
		Version       int64           `json:"version"`
		Revision      int64           `json:"revision"`
		CreatedAt     time.Time       `json:"created_at"`
		UpdatedAt     time.Time       `json:"updated_at"`
	}
	page[T any] struct {
		Items   []T  `json:"items"`
		Total   int  `json:"total"`
		Limit   int  `json:"limit"`
		Offset  int  `json:"offset"`
		HasMore bool `json:"has_more"`
	}
	problem struct {
		Title   string       `json:"title"`
		Status  int          `json:"status"`
		Detail  string       `json:"detail"`
		Code    string       `json:"code"`
		Errors  []fieldError `json:"errors"`
		TraceID string       `json:"trace_id"`
	}
	fieldError struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	}
)

// decode reads an answer's body as a T.
func decode[T any](t testing.TB, got answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Fatalf("%v in %.600s", err, got.body)
	}
	return v
}

// object writes JSON of fields.
func object(fields map[string]any) string {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err) // a mistake in the test itself
	}
	return string(text)
}

func (a *api) createApplication(name string) application {
	a.t.Helper()
	return decode[application](a.t, a.want(http.StatusCreated, call{
		method: "POST", path: "/api/v1/applications", body: object(map[string]any{"name": name})}))
}

func (a *api) createConfiguration(owner application, name, config string) configuration {
	a.t.Helper()
	return decode[configuration](a.t, a.want(http.StatusCreated, call{
		method: "POST", path: "/api/v1/configurations", body: object(map[string]any{
			"application_id": owner.ID, "name": name, "config": json.RawMessage(config)})}))
}

func (a *api) application(id string) application {
	a.t.Helper()
	return decode[application](a.t, a.get("/api/v1/applications/"+id))
}

func (a *api) configuration(id string) configuration {
	a.t.Helper()
	return decode[configuration](a.t, a.get("/api/v1/configurations/"+id))
}

// everything is the whole state that the API shows.
func (a *api) everything() string {
	a.t.Helper()
	return a.get("/api/v1/applications?limit=1000").body + a.get("/api/v1/configurations?limit=1000").body
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

func diffLines(want, got string) string {
	return cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
}

// absent is a well-formed identifier that nothing has.
const absent = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
