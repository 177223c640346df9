package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
)

// An echoStore has one configuration, keeps what it is sent for as long as the
// call lasts, and tells what it was asked for. It is fast, and strict about
// what a handler may ask of a store.
type echoStore struct {
	conf.Store
	t           *testing.T
	application string // names as they were asked for
	name        string
}

func (s *echoStore) window(w conf.Window) {
	if w.Limit < 1 || w.Limit > conf.MaxLimit || w.Offset < 0 {
		s.t.Errorf("the store was asked for %+v", w)
	}
}

func (s *echoStore) point(at conf.Point) {
	if at.Revision < 0 || at.Revision > 0 && !at.Time.IsZero() {
		s.t.Errorf("the store was asked for %+v", at)
	}
}

func (s *echoStore) CreateApplication(_ context.Context, a conf.Application) (conf.Application, error) {
	a.ID, a.Revision, a.ConfigurationIDs = absent, 1, []string{}
	return a, a.Validate()
}

func (s *echoStore) CreateConfiguration(_ context.Context, c conf.Configuration) (conf.Configuration, error) {
	c.ID, c.Version, c.Revision = absent, 1, 1
	return c, c.Validate()
}

func (s *echoStore) kept() conf.Configuration {
	return conf.Configuration{ID: absent, ApplicationID: absent, Name: "flags", Config: []byte(`{"a":{"b":[null,{"c":1.10}]}}`), Version: 1, Revision: 1}
}

func (s *echoStore) UpdateConfiguration(_ context.Context, _ string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	c := s.kept()
	if err := edit(&c); err != nil {
		return c, err
	}
	return c, c.Validate()
}

func (s *echoStore) RollbackConfiguration(_ context.Context, _ string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	c := s.kept()
	if version < 1 {
		s.t.Errorf("the store was asked for a rollback to %d", version)
	}
	return c, check(&c)
}

func (s *echoStore) Configuration(context.Context, string) (conf.Configuration, error) {
	return s.kept(), nil
}

func (s *echoStore) ConfigurationAt(_ context.Context, _ string, at conf.Point) (conf.Configuration, error) {
	s.point(at)
	return s.kept(), nil
}

func (s *echoStore) ConfigurationByName(_ context.Context, application, name string) (conf.Configuration, error) {
	s.application, s.name = application, name
	return s.kept(), nil
}

func (s *echoStore) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	s.point(at)
	return s.ConfigurationByName(ctx, application, name)
}

func (s *echoStore) Applications(_ context.Context, q conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	s.window(q.Window)
	return conf.NewPage[conf.Application](nil, 0, q.Window), nil
}

func (s *echoStore) Configurations(_ context.Context, q conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	s.window(q.Window)
	return conf.NewPage[conf.Configuration](nil, 0, q.Window), nil
}

func (s *echoStore) Versions(_ context.Context, _ string, w conf.Window) (conf.Page[conf.Version], error) {
	s.window(w)
	return conf.NewPage[conf.Version](nil, 0, w), nil
}

func (s *echoStore) Version(_ context.Context, _ string, version int64) (conf.Version, error) {
	if version < 1 {
		s.t.Errorf("the store was asked for version %d", version)
	}
	return conf.Version{Config: s.kept().Config}, nil
}

func (s *echoStore) Audit(_ context.Context, q conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	s.window(q.Window)
	return conf.NewPage[conf.AuditEntry](nil, 0, q.Window), nil
}

// An echo is a service on an echoStore, called without a network.
type echo struct {
	http.Handler
	store *echoStore
	log   *lines
}

func newEcho(f *testing.F) *echo {
	store, log := &echoStore{}, &lines{}
	h, err := httpapi.New(httpapi.Options{Store: store, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		f.Fatal(err)
	}
	return &echo{h, store, log}
}

// ask wants one of these statuses, and JSON that is a problem where it is not
// a success. A panic would be 500.
func (e *echo) ask(t *testing.T, r *http.Request, statuses ...int) *httptest.ResponseRecorder {
	t.Helper()
	e.store.t = t
	e.log.reset()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if !slices.Contains(statuses, w.Code) {
		t.Fatalf("%s %s answered %d: %s\n%s", r.Method, r.URL, w.Code, w.Body, e.log)
	}
	isProblem := w.Header().Get("Content-Type") == "application/problem+json"
	if hasBody := w.Code != http.StatusNotModified; json.Valid(w.Body.Bytes()) != hasBody || isProblem != (w.Code >= 400) {
		t.Fatalf("%s %s answered %d with %s", r.Method, r.URL, w.Code, w.Body)
	}
	return w
}

func request(method, target, body string) *http.Request {
	r := &http.Request{Method: method, URL: &url.URL{Path: target}, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), RemoteAddr: "192.0.2.7:1", ProtoMajor: 1, ProtoMinor: 1}
	return r
}

// No body takes a handler down, and what one accepts it takes exactly.
func FuzzBody(f *testing.F) {
	for _, r := range wrongBodies("POST", "/") {
		if len(r.body) < 1000 {
			f.Add(r.body)
		}
	}
	for _, seed := range []string{`{"name":"x"}`, `{"version":1}`, `{"version":1e0}`, `{"comments":null}`, `{"config":{"a":null,"b":[1.10,1e400]}}`,
		`{"application_id":"` + absent + `","name":"x","comments":"y","config":{"n":12345678901234567890,"s":"\ud83d\ude80<&>"}}`,
		`{"config":{"a":{"b":{"c":null}}},"name":"\u0000"}`, "{\"config\":{\"\":\"\u2028\"}}"} {
		f.Add(seed)
	}
	const config = "/api/v1/configurations/" + absent
	e := newEcho(f)
	f.Fuzz(func(t *testing.T, body string) {
		e.ask(t, request("POST", "/api/v1/applications", body), 201, 400, 422)
		e.ask(t, request("PATCH", config, body), 200, 400, 422)
		e.ask(t, request("POST", config+"/rollback", body), 200, 400, 422)
		for _, r := range []*http.Request{request("POST", "/api/v1/configurations", body), request("PUT", config, body)} {
			w := e.ask(t, r, 200, 201, 400, 422)
			var sent, kept struct {
				Config json.RawMessage `json:"config"`
			}
			if w.Code >= 400 || json.Unmarshal([]byte(body), &sent) != nil || sent.Config == nil {
				continue
			}
			if err := json.Unmarshal(w.Body.Bytes(), &kept); err != nil {
				t.Fatal(err)
			}
			equalJSON(t, r.Method+" keeps", kept.Config, string(sent.Config))
		}
	})
}

// No query takes a handler down or gets an odd question past it.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"limit=1&offset=2", "limit=&offset=", "limit=-1", "offset=99999999999999999999", "limit=1;offset=2", "%zz", "&&=&", "at=1", "at=0",
		"at=2026-03-14T09:26:53Z", "at=2026-03-14T09:26:53.5%2B01:00", "at=0000-00-00T00:00:00Z", "at=9999-12-31T23:59:59.999999999-23:59", "at=-9223372036854775808",
		"from=1&to=2", "from=0&to=", "name=%00", "changed_by=%FF", "application_id=" + absent, "configuration_id=x", "limit=1&limit=0", "limit=٣",
		"version=1", "wait=1ms&version=1", "wait=-1s", "wait=9m&version=0", "min_revision=1", "min_revision=x"} {
		f.Add(seed)
	}
	const config = "/api/v1/configurations/" + absent
	e := newEcho(f)
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/applications", "/api/v1/configurations", "/api/v1/audit", config, "/api/v1/config/x/y", config + "/versions", config + "/diff"} {
			r := request("GET", path, "")
			r.URL.RawQuery = query
			w := e.ask(t, r, 200, 304, 422, 503) // this store's changes cannot be waited for
			if values, err := url.ParseQuery(query); err != nil && w.Code != 422 {
				t.Errorf("%s took the query %q", path, query)
			} else if text := values.Get("at"); strings.Contains(path, "config") && strings.HasSuffix(path, absent) && w.Code == 200 && text != "" && !isPoint(text) {
				t.Errorf("%q was taken for a point", text)
			}
		}
	})
}

// isPoint is what a client may send for one, by other means than the service.
func isPoint(text string) bool {
	if !strings.ContainsFunc(text, func(c rune) bool { return c < '0' || c > '9' }) {
		return text[0] != '0'
	}
	var v time.Time
	quoted, _ := json.Marshal(text)
	return v.UnmarshalJSON(quoted) == nil && !strings.Contains(text, ",")
}

// The names that a client encodes are those that are looked for, and no path
// takes a handler down.
func FuzzNamesInPath(f *testing.F) {
	for _, seed := range [][2]string{{"checkout", "flags"}, {"a/b", "c"}, {"..", "."}, {"%2F", "%"}, {"", ""}, {"/", "//"}, {"\xff", "\x00"}, {"日本語", "a b+c?d#e;f"}} {
		f.Add(seed[0], seed[1])
	}
	e := newEcho(f)
	f.Fuzz(func(t *testing.T, application, name string) {
		raw := "/api/v1/config/" + encodeSegment(application) + "/" + encodeSegment(name)
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		r := request("GET", "", "")
		r.URL = u
		if application == "" || name == "" || application == "/" || name == "/" { // as the contract says
			e.ask(t, r, 404)
		} else if e.ask(t, r, 200); e.store.application != application || e.store.name != name {
			t.Errorf("%s asked for %q of %q", raw, e.store.name, e.store.application)
		}
		if u, err := url.ParseRequestURI("/api/v1/config/" + application + "/" + name); err == nil && utf8.ValidString(name) && path.Clean(u.Path) != "" {
			r.URL = u
			w := httptest.NewRecorder()
			if e.ServeHTTP(w, r); w.Code >= 500 {
				t.Errorf("%s answered %d: %s", u, w.Code, w.Body)
			}
		}
	})
}
