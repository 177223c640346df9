package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// Whatever bytes come over a connection, the answer is not the service's fault:
// no panic, no error of the store, no 5xx but those that tell of the client.
func FuzzRequest(f *testing.F) {
	for _, seed := range requestSeeds() {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	w := newWire(f)
	f.Fuzz(func(t *testing.T, method, target, header, body string) {
		w.fill(t)
		text := w.ids().Replace(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s", method, target, header))
		body = w.ids().Replace(body)
		resp := w.send(t, fmt.Sprintf("%s\r\nContent-Length: %d\r\n\r\n%s", text, len(body), body))
		if resp.StatusCode >= 500 && !excused(resp, target) || strings.Contains(w.log.String(), "panic") {
			t.Errorf("%q with %q was answered %s\n%s", text, body, resp.Status, w.log)
		}
	})
}

// excused reports whether a 5xx is the right answer: what HTTP has for methods
// of transfer and versions that nobody knows, and for a revision that does not
// come.
func excused(resp *http.Response, target string) bool {
	switch resp.StatusCode {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return true
	case http.StatusServiceUnavailable:
		return resp.Header.Get("Retry-After") != "" && strings.Contains(target, "revision")
	}
	return false
}

// requestSeeds are a request of each kind, in which {a} and {c} stand for the
// ids of an application and a configuration.
func requestSeeds() [][4]string {
	const json = "Content-Type: application/json"
	const c = "/api/v1/configurations"
	return [][4]string{
		{"GET", "/health", "", ""}, {"GET", "/metrics", "Accept: application/openmetrics-text", ""}, {"HEAD", "/docs", "", ""},
		{"GET", "/api/v1/applications?limit=2&offset=1&name=shop", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", ""},
		{"POST", "/api/v1/applications", json, `{"name":"x","comments":null}`},
		{"PUT", "/api/v1/applications/{a}", json + "\r\nIf-Match: *", `{"name":"y"}`}, {"DELETE", "/api/v1/applications/{a}", "If-Match: \"1\", W/\"2\"", ""},
		{"POST", c, json, `{"application_id":"{a}","name":"new","config":{"n":1e400,"s":"\ud83d\ude80\u0000"}}`},
		{"PUT", c + "/{c}", json, `{"config":{"a":[null,{"":12345678901234567890}]}}`},
		{"PATCH", c + "/{c}", "Content-Type: application/merge-patch+json; charset=utf-8", `{"config":{"a":null,"b":{"c":null}}}`},
		{"POST", c + "/{c}/rollback", json + "\r\nTransfer-Encoding: chunked", "d\r\n{\"version\":1}\r\n0\r\n\r\n"},
		{"GET", c + "/{c}?at=2026-03-14T09:26:53Z", "If-None-Match: \"2\"", ""}, {"GET", c + "/{c}?wait=1ms&version=1", "", ""},
		{"GET", c + "/{c}/diff?from=1&to=1", "", ""}, {"GET", c + "/{c}/versions?limit=1&offset=9223372036854775807", "", ""},
		{"GET", c + "?application_id={a}&min_revision=1", "Accept-Encoding: gzip, *;q=0", ""},
		{"GET", "/api/v1/config/shop/main?at=1", "Authorization: Bearer x", ""}, {"GET", "/api/v1/config/%2e%2e/%00?min_revision=2", "", ""},
		{"GET", "/api/v1/watch?application=shop&since=0", "Last-Event-ID: 1", ""}, {"GET", "/api/v1/watch?application_id={a}", "Last-Event-ID: \xff", ""},
		{"GET", "/api/v1/audit?configuration_id={c}&changed_by=%FF&from=1&to=2", "Expect: 100-continue", ""},
		{"OPTIONS", "*", "Connection: upgrade\r\nUpgrade: h2c", ""}, {"GET", "//api//v1/./applications/", "Content-Length: 1", ""},
	}
}

// A wire leads to a service with all that it has, on a store of its own.
type wire struct {
	store                      *sqlstore.Store
	address                    string
	log                        *safeBuffer
	application, configuration string // ids
	revision                   int64
}

func newWire(f *testing.F) *wire {
	f.Helper()
	w := &wire{log: &safeBuffer{}}
	h := newWhole(f, true, slog.LevelWarn, w.log, func(store *sqlstore.Store) { w.store = store })
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(w.log, nil), slog.LevelError)
	server.Start()
	f.Cleanup(server.Close)
	w.address = server.Listener.Addr().String()
	return w
}

// fill makes the store what it was before a request changed it.
func (w *wire) fill(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	stats, err := w.store.Stats(ctx)
	must(t, err)
	if stats.Revision == w.revision && w.revision > 0 {
		return
	}
	all, err := w.store.Applications(ctx, conf.ApplicationQuery{Window: conf.Window{Limit: conf.MaxLimit}})
	must(t, err)
	for _, a := range all.Items {
		_, err := w.store.DeleteApplication(ctx, a.ID, func(*conf.Application) error { return nil })
		must(t, err)
	}
	w.configuration = hotConfiguration(t, w.store)
	c, err := w.store.Configuration(ctx, w.configuration)
	must(t, err)
	w.application, w.revision = c.ApplicationID, c.Revision
}

func (w *wire) ids() *strings.Replacer {
	return strings.NewReplacer("{a}", w.application, "{c}", w.configuration)
}

// send returns the head of the answer. A request that has no end, or whose
// answer is awaited, is cut off after a while.
func (w *wire) send(t *testing.T, text string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", w.address)
	must(t, err)
	defer conn.Close()
	must(t, conn.(*net.TCPConn).SetLinger(0)) // or the ports would be used up
	_, _ = conn.Write([]byte(text))           // who is refused early may not take it all
	must(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	answer := bufio.NewReader(conn)
	if _, err := answer.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
		must(t, conn.(*net.TCPConn).CloseWrite())
	}
	must(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	for {
		resp, err := http.ReadResponse(answer, &http.Request{Method: http.MethodHead}) // its body does not matter
		if err != nil {
			t.Fatalf("%q was not answered: %v\n%s", text, err, w.log)
		}
		if resp.StatusCode != http.StatusContinue {
			return resp
		}
	}
}
