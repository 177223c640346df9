package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
)

// A brokenStore ends every call in err, or in a panic where there is none, as
// does any call that is not below.
type brokenStore struct {
	conf.Store
	err error
}

func (s brokenStore) fail() error {
	if s.err == nil {
		panic("the store has come apart")
	}
	return s.err
}

func (s brokenStore) CreateApplication(context.Context, conf.Application) (conf.Application, error) {
	return conf.Application{}, s.fail()
}

func (s brokenStore) Application(context.Context, string) (conf.Application, error) {
	return conf.Application{}, s.fail()
}

func (s brokenStore) Applications(context.Context, conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	return conf.Page[conf.Application]{}, s.fail()
}

func (s brokenStore) UpdateApplication(context.Context, string, conf.Edit[conf.Application]) (conf.Application, error) {
	return conf.Application{}, s.fail()
}

func (s brokenStore) DeleteApplication(context.Context, string, conf.Edit[conf.Application]) (int64, error) {
	return 0, s.fail()
}

func (s brokenStore) CreateConfiguration(context.Context, conf.Configuration) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) Configuration(context.Context, string) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) ConfigurationByName(context.Context, string, string) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) Configurations(context.Context, conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	return conf.Page[conf.Configuration]{}, s.fail()
}

func (s brokenStore) UpdateConfiguration(context.Context, string, conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) DeleteConfiguration(context.Context, string, conf.Edit[conf.Configuration]) (int64, error) {
	return 0, s.fail()
}

func (s brokenStore) Versions(context.Context, string, conf.Window) (conf.Page[conf.Version], error) {
	return conf.Page[conf.Version]{}, s.fail()
}

func (s brokenStore) Version(context.Context, string, int64) (conf.Version, error) {
	return conf.Version{}, s.fail()
}

func (s brokenStore) RollbackConfiguration(context.Context, string, int64, conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) ConfigurationAt(context.Context, string, conf.Point) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) ConfigurationByNameAt(context.Context, string, string, conf.Point) (conf.Configuration, error) {
	return conf.Configuration{}, s.fail()
}

func (s brokenStore) Audit(context.Context, conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	return conf.Page[conf.AuditEntry]{}, s.fail()
}

func (s brokenStore) Stats(context.Context) (conf.Stats, error) { return conf.Stats{}, s.fail() }

// storeFaults makes every call that needs the store while the store fails:
// the caller learns that it failed and whether to try again, and nothing of
// how; the log learns the rest, once.
func storeFaults(t *testing.T, c *contract) {
	const secret = "/var/lib/secret.db"
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tc := range []struct {
		name   string
		err    error
		status int
		code   string
		retry  string
	}{
		{"down", &conf.Error{Code: conf.Unavailable, Detail: "the database does not answer", Err: errors.New(secret)}, 503, "unavailable", "1"},
		{"down, wrapped", fmt.Errorf("call: %w", conf.Errorf(conf.Unavailable, "the database does not answer")), 503, "unavailable", "1"},
		{"unforeseen", errors.New(secret), 500, "internal", ""},
		{"unforeseen, with a code", &conf.Error{Code: conf.Internal, Detail: secret, Err: errors.New(secret)}, 500, "internal", ""},
		{"of a code that nobody knows", &conf.Error{Code: "odd", Detail: secret}, 500, "internal", ""},
		{"a panic", nil, 500, "internal", ""},
	} {
		log := &lines{}
		a := serveWith(t, c, httpapi.Options{
			Store:   brokenStore{err: tc.err},
			Logger:  slog.New(slog.NewJSONHandler(log, nil)),
			TraceID: func(context.Context) string { return trace },
		})
		for _, request := range callsOnStore() {
			a.run(tc.name+": "+request.method+" "+request.path, func(t *testing.T, a *api) {
				log.reset()
				got := a.want(tc.status, request)
				p := decode[problem](t, got)
				equal(t, "code", p.Code, tc.code)
				equal(t, "trace_id", p.TraceID, trace)
				if tc.status == 500 && !strings.Contains(p.Detail, "under this trace id") {
					t.Errorf("the detail %q does not say what the trace id is for", p.Detail)
				}
				equal(t, "Retry-After", got.header.Get("Retry-After"), tc.retry)
				if strings.Contains(got.body, "secret") {
					t.Errorf("the caller is told the store's business: %s", got.body)
				}
				if logged := log.String(); strings.Count(logged, "\n") != 1 {
					t.Errorf("it was not logged once, but so:\n%s", logged)
				}
			})
		}
	}
}

// noTraceToLookFor makes a fault where there are no traces: the caller must
// not be sent to look for one.
func noTraceToLookFor(t *testing.T, c *contract) {
	for _, err := range []error{errors.New("odd"), nil} {
		a := serveWith(t, c, httpapi.Options{Store: brokenStore{err: err}, Logger: slog.New(slog.DiscardHandler)})
		p := decode[problem](t, a.want(500, call{method: "GET", path: "/api/v1/applications"}))
		equal(t, "trace_id", p.TraceID, "")
		equal(t, "detail", p.Detail, "something went wrong here; the service's log tells more")
	}
}

// callsOnStore are right requests for every operation that needs the store.
func callsOnStore() []call {
	app, one := "/api/v1/applications", "/api/v1/applications/"+absent
	all, config := "/api/v1/configurations", "/api/v1/configurations/"+absent
	return []call{
		{method: "GET", path: app},
		{method: "POST", path: app, body: `{"name":"x"}`},
		{method: "GET", path: one},
		{method: "PUT", path: one, body: `{"name":"x"}`},
		{method: "DELETE", path: one},
		{method: "GET", path: one + "/configurations"},
		{method: "GET", path: all},
		{method: "POST", path: all, body: `{"application_id":"` + absent + `","name":"x","config":{}}`},
		{method: "GET", path: config},
		{method: "PUT", path: config, body: `{"name":"x"}`},
		{method: "PATCH", path: config, body: `{"name":"x"}`},
		{method: "DELETE", path: config},
		{method: "GET", path: "/api/v1/config/x/y"},
		{method: "GET", path: "/api/v1/watch?application_id=" + absent},
		{method: "GET", path: config + "?at=1"},
		{method: "GET", path: "/api/v1/config/x/y?at=1"},
		{method: "GET", path: config + "/versions"},
		{method: "GET", path: config + "/versions/1"},
		{method: "GET", path: config + "/diff?from=1&to=2"},
		{method: "POST", path: config + "/rollback", body: `{"version":1}`},
		{method: "GET", path: "/api/v1/audit"},
	}
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// operation asks how the service is, well and unwell.
func operation(t *testing.T, c *contract) {
	well := serveWith(t, c, httpapi.Options{Store: openStore(t), Version: "1.2.3"})
	stopping := serveWith(t, c, httpapi.Options{Store: openStore(t), Ready: func() bool { return false }})
	unwell := serveWith(t, c, httpapi.Options{Store: brokenStore{err: conf.Errorf(conf.Unavailable, "the database does not answer")}})
	for _, tc := range []struct {
		name   string
		a      *api
		path   string
		status int
		want   map[string]any
	}{
		{"well", well, "/health", 200, map[string]any{"status": "healthy", "service": "configuration-service", "version": "1.2.3"}},
		{"well", well, "/livez", 200, map[string]any{"status": "alive"}},
		{"well", well, "/readyz", 200, map[string]any{"status": "ready"}},
		{"stopping", stopping, "/health", 200, map[string]any{"status": "healthy"}},
		{"stopping", stopping, "/livez", 200, map[string]any{"status": "alive"}},
		{"stopping", stopping, "/readyz", 503, map[string]any{"status": "stopping"}},
		{"database down", unwell, "/health", 503, map[string]any{"status": "unhealthy"}},
		{"database down", unwell, "/livez", 200, map[string]any{"status": "alive"}}, // a restart would not help
		{"database down", unwell, "/readyz", 503, map[string]any{"status": "database down"}},
	} {
		tc.a.run(tc.path+" when "+tc.name, func(t *testing.T, a *api) {
			got := decode[map[string]any](t, a.want(tc.status, call{method: "GET", path: tc.path}))
			for field, want := range tc.want {
				equal(t, field, got[field], want)
			}
		})
	}
	well.run("/metrics", metricsByAccept)
}

func metricsByAccept(t *testing.T, a *api) {
	for accept, want := range map[string]string{
		"":                             "text/plain",
		"application/openmetrics-text": "application/openmetrics-text",
	} {
		got := a.want(http.StatusOK, call{method: "GET", path: "/metrics", header: map[string]string{"Accept": accept}})
		if mediaType := got.header.Get("Content-Type"); !strings.HasPrefix(mediaType, want) {
			t.Errorf("Accept %q was answered with %s", accept, mediaType)
		}
	}
}
