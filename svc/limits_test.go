package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer makes a request and returns its status, its Retry-After and its body.
func (p *process) answer(t *testing.T, method, path, body string) (status int, retry, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url(path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, text := do(t, req)
	return resp.StatusCode, resp.Header.Get("Retry-After"), text
}

// wantProblem wants an answer of this status and code.
func (p *process) wantProblem(t *testing.T, method, path, body string, status int, code string) (retry string) {
	t.Helper()
	got, retry, text := p.answer(t, method, path, body)
	var problem struct{ Code string }
	if err := json.Unmarshal([]byte(text), &problem); err != nil || got != status || problem.Code != code {
		t.Errorf("%s %s answered %d: %s, want %d %s", method, path, got, text, status, code)
	}
	return retry
}

// wantRejected wants /metrics to show how many requests met a limit.
func (p *process) wantRejected(t *testing.T, limit string, n int) {
	t.Helper()
	_, _, text := p.answer(t, "GET", "/metrics", "")
	if want := fmt.Sprintf("config_limits_rejected_total{limit=%q} %d\n", limit, n); !strings.Contains(text, want) {
		t.Errorf("/metrics has no %s", want)
	}
}

func TestServiceFullOfSlowRequestsQueuesMoreOrDoesNotRecover(t *testing.T) {
	const most = 3
	p := start(t, fmt.Sprint("--max-concurrent-requests=", most))
	var finish []func() (*http.Response, error)
	for range most {
		finish = append(finish, slowWrite(t, p))
	}
	for _, path := range []string{"/api/v1/applications", "/api/v1/configurations?limit=1"} {
		if retry := p.wantProblem(t, "GET", path, "", http.StatusServiceUnavailable, "overloaded"); retry != "1" {
			t.Errorf("Retry-After is %q", retry)
		}
	}
	for _, exempt := range []string{"/health", "/livez", "/readyz", "/metrics", "/openapi.json"} {
		p.get(t, exempt, http.StatusOK)
	}
	p.wantRejected(t, "concurrency", 2)
	if resp, err := finish[0](); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("a request that was under way ended in %v, %v", resp, err)
	}
	p.get(t, "/api/v1/applications", http.StatusOK)
	for _, finish := range finish[1:] {
		if _, err := finish(); err != nil {
			t.Error(err)
		}
	}
	p.wantRejected(t, "concurrency", 2)
	if strings.Contains(p.stdout.String(), "ERROR") {
		t.Errorf("what is shed adds to the log:\n%s", p.stdout)
	}
}

func TestWatchersTakeThePlacesOfRequestsOrHaveNoBound(t *testing.T) {
	for _, transport := range []string{"sse", "long_poll"} {
		p := start(t, "--max-concurrent-requests=1", "--max-watchers=1")
		p.watch(t, transport)
		p.get(t, "/api/v1/applications", http.StatusOK)
		p.wantProblem(t, "GET", "/api/v1/watch", "", http.StatusServiceUnavailable, "overloaded")
		p.wantRejected(t, "watchers", 1)
		if transport == "long_poll" {
			p.wantProblem(t, "GET", "/api/v1/config/a/b?wait=1s", "", http.StatusServiceUnavailable, "overloaded")
			p.wantRejected(t, "watchers", 2)
		}
	}
}

// watch has a client wait for changes until the test ends, and returns when the
// service knows of it.
func (p *process) watch(t *testing.T, transport string) {
	t.Helper()
	path := "/api/v1/watch"
	if transport == "long_poll" {
		_, _, app := p.answer(t, "POST", "/api/v1/applications", `{"name":"a"}`)
		var owner struct{ ID string }
		if err := json.Unmarshal([]byte(app), &owner); err != nil {
			t.Fatal(err)
		}
		p.answer(t, "POST", "/api/v1/configurations", `{"application_id":"`+owner.ID+`","name":"b","config":{}}`)
		path = "/api/v1/config/a/b?wait=1m"
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", p.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", "*")
	go func() {
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // until the test ends
			resp.Body.Close()
		}
	}()
	want := fmt.Sprintf("config_watch_watchers{transport=%q} 1\n", transport)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, _, text := p.answer(t, "GET", "/metrics", ""); strings.Contains(text, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/metrics has no %s", want)
		}
	}
}

func TestOneCallerWritesWithoutBound(t *testing.T) {
	p := start(t, "--write-rate=0.01", "--write-burst=2", "--max-body=100")
	p.wantProblem(t, "POST", "/api/v1/applications", `{"name":"`+strings.Repeat("x", 100)+`"}`, http.StatusRequestEntityTooLarge, "too_large")
	if status, _, text := p.answer(t, "POST", "/api/v1/applications", `{"name":"a"}`); status != http.StatusCreated {
		t.Fatalf("%d: %s", status, text)
	}
	if retry := p.wantProblem(t, "POST", "/api/v1/applications", `{"name":"b"}`, http.StatusTooManyRequests, "rate_limited"); retry != "100" {
		t.Errorf("Retry-After is %q", retry)
	}
	p.get(t, "/api/v1/applications", http.StatusOK)
	p.wantRejected(t, "write_rate", 1)
	p.wantRejected(t, "body", 1)
}

func TestMetricsStayWhereEverybodyComes(t *testing.T) {
	p := start(t, "--metrics-listen=127.0.0.1:0")
	aside := p.beside(t, "--metrics-listen")
	for _, path := range []string{"/metrics", "/health", "/livez", "/readyz"} {
		aside.get(t, path, http.StatusOK)
	}
	for _, path := range []string{"/api/v1/applications", "/docs", "/openapi.json", "/"} {
		aside.get(t, path, http.StatusNotFound)
	}
	p.get(t, "/metrics", http.StatusNotFound)
	p.get(t, "/readyz", http.StatusOK)
	p.get(t, "/api/v1/applications", http.StatusOK)
}

// beside returns p at the listener of an option.
func (p *process) beside(t *testing.T, option string) *process {
	t.Helper()
	aside := *p
	for line := range strings.Lines(p.stdout.String()) {
		var l struct{ Msg, Option, Address string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "serving operators" && l.Option == option {
			aside.address = l.Address
		}
	}
	if aside.address == p.address {
		t.Fatalf("there is no listener of %s:\n%s", option, p.stdout)
	}
	return &aside
}

func TestProfilesAreNowhereUnlessAskedForAndThenOnTheirOwnListener(t *testing.T) {
	p := start(t, "--debug-listen=127.0.0.1:0")
	aside := p.beside(t, "--debug-listen")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine", "/debug/pprof/allocs?debug=1", "/debug/pprof/profile?seconds=1"} {
		aside.get(t, path, http.StatusOK)
		p.get(t, path, http.StatusNotFound)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/cmdline", "/api/v1/applications"} {
		aside.get(t, path, http.StatusNotFound)
	}
}
