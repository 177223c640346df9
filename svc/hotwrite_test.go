package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"configservice/svc/internal/access"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// A hotWrite replaces one configuration again and again.
type hotWrite struct {
	handler http.Handler
	request *http.Request
	body    *bytes.Reader
	answer  sink
}

// newHotWrites returns n of them of one service with telemetry and access
// control, which writes a line for each.
func newHotWrites(t testing.TB, n int) (all []*hotWrite) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://"+startGRPC(t, &grpcCollector{}))
	// No batch of lines is sent while something is counted.
	t.Setenv("OTEL_BLRP_SCHEDULE_DELAY", "3600000")
	t.Setenv("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2048")
	h := newWhole(t, true, slog.LevelInfo, io.Discard, func(store *sqlstore.Store) {
		secret, hash := access.NewSecret()
		_, err := store.CreateToken(t.Context(), conf.Token{Name: "hot", Hash: hash, Scope: conf.ScopeWrite})
		must(t, err)
		a, err := store.CreateApplication(t.Context(), conf.Application{Name: "shop"})
		must(t, err)
		for i := range n {
			c, err := store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: fmt.Sprint("main", i), Config: []byte(`{}`)})
			must(t, err)
			all = append(all, newHotWrite(c, secret))
		}
	})
	for _, w := range all {
		w.handler = h
	}
	return all
}

func newHotWrite(c conf.Configuration, secret string) *hotWrite {
	body := bytes.NewReader(fmt.Appendf(nil, `{"name":%q,"config":`+
		`{"feature":"checkout","enabled":true,"limit":10000000,"hosts":["a.example.com","b.example.com"],"ratio":0.25}}`, c.Name))
	r := httptest.NewRequest(http.MethodPut, "/api/v1/configurations/"+c.ID, body)
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	return &hotWrite{request: r, body: body, answer: sink{header: http.Header{}}}
}

func (w *hotWrite) do(t testing.TB) {
	clear(w.answer.header)
	w.answer.status = 0
	_, _ = w.body.Seek(0, io.SeekStart)
	w.request.Body = io.NopCloser(w.body)
	w.handler.ServeHTTP(&w.answer, w.request)
	if w.answer.status != http.StatusOK {
		t.Errorf("answered %d", w.answer.status)
	}
}

func BenchmarkHotWrites(b *testing.B) {
	writers := newHotWrites(b, 32)
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i, w := range writers {
		all.Go(func() {
			for range (b.N + i) / len(writers) {
				w.do(b)
			}
		})
	}
	all.Wait()
}

// The guard of what a write costs beside the disk: everything that it allocates
// in this process, the engine's driver and the line of the log included.
func TestHotWriteAllocates(t *testing.T) {
	const most = 180
	w := newHotWrites(t, 1)[0]
	w.do(t)
	n := testing.AllocsPerRun(200, func() { w.do(t) })
	if n > most {
		t.Errorf("%v allocations for a write, want at most %d", n, most)
	}
}
