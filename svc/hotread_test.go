package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"configservice/svc/internal/access"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// A hotRead is a service without a listener, and a read that it answers from
// memory.
type hotRead struct {
	handler http.Handler
	request *http.Request
}

// newHotRead returns a service with telemetry and access control; or, when it
// is off, with neither.
func newHotRead(t testing.TB, on bool) *hotRead {
	t.Helper()
	var r *http.Request
	h := newWhole(t, on, slog.LevelWarn, io.Discard, func(store *sqlstore.Store) {
		r = httptest.NewRequest(http.MethodGet, "/api/v1/configurations/"+hotConfiguration(t, store), nil)
		if on {
			secret, hash := access.NewSecret()
			_, err := store.CreateToken(t.Context(), conf.Token{Name: "hot", Hash: hash, Scope: conf.ScopeRead})
			must(t, err)
			r.Header.Set("Authorization", "Bearer "+secret)
		}
	})
	return &hotRead{h, r}
}

// newWhole returns all that answers requests, on a store that is first filled,
// with telemetry, sent to where nothing is sampled, or without any.
func newWhole(t testing.TB, telemetry bool, level slog.Level, log io.Writer, fill func(*sqlstore.Store)) http.Handler {
	t.Helper()
	t.Setenv("OTEL_SDK_DISABLED", map[bool]string{true: "false", false: "true"}[telemetry])
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0")

	o, err := parseOptions([]string{"--database-url=sqlite:" + filepath.Join(t.TempDir(), "whole.db")}, func(string) string { return "" })
	must(t, err)
	ctx := t.Context()
	tel, err := newTelemetry(ctx, version, level, log)
	must(t, err)
	store, err := sqlstore.Open(ctx, o.DatabaseURL, o.storeOptions(tel.pools))
	must(t, err)
	fill(store)
	s := &service{options: o, logger: tel.logger}
	s.ready.Store(true)
	keys, forget, err := s.followTokens(ctx, store)
	must(t, err)
	h, release, err := s.handler(ctx, tel, store, keys)
	must(t, err)
	t.Cleanup(func() {
		release()
		forget()
		_ = tel.shutdown(context.Background())
		must(t, store.Close())
	})
	return h
}

func hotConfiguration(t testing.TB, store conf.Store) (id string) {
	t.Helper()
	a, err := store.CreateApplication(t.Context(), conf.Application{Name: "shop"})
	must(t, err)
	c, err := store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main",
		Config: []byte(`{"feature":"checkout","enabled":true,"limit":10000000,"hosts":["a.example.com","b.example.com"],"ratio":0.25}`)})
	must(t, err)
	return c.ID
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A sink is a response that is not kept.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

func (h *hotRead) do(w *sink) {
	clear(w.header)
	w.status = 0
	h.handler.ServeHTTP(w, h.request)
}

func BenchmarkHotRead(b *testing.B) {
	for name, on := range map[string]bool{"off": false, "on": true} {
		b.Run(name, func(b *testing.B) {
			h, w := newHotRead(b, on), &sink{header: http.Header{}}
			h.do(w)
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
			b.ReportAllocs()
			for b.Loop() {
				h.do(w)
			}
		})
	}
}

// The guard of the hot path: what a request adds to net/http's own allocations.
func TestHotReadAllocates(t *testing.T) {
	for name, on := range map[string]bool{"telemetry off": false, "everything on": true} {
		t.Run(name, func(t *testing.T) {
			h, w := newHotRead(t, on), &sink{header: http.Header{}}
			h.do(w) // from the store
			if n := testing.AllocsPerRun(500, func() { h.do(w) }); n > 0 || w.status != http.StatusOK {
				t.Errorf("%v allocations for an answer of %d, want none", n, w.status)
			}
		})
	}
}
