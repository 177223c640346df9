//go:build linux

package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func serve(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func get(int) []byte { return []byte("GET / HTTP/1.1\r\nHost: bench\r\n\r\n") }

func TestEveryRequestIsAnsweredAndCounted(t *testing.T) {
	var served atomic.Int64
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		fmt.Fprint(w, strings.Repeat("x", 1000))
	})
	r, err := Run(Load{Address: address, Connections: 4, Request: get, Status: 200, Duration: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests == 0 || int64(r.Requests) != served.Load() {
		t.Errorf("%d are counted and %d were served", r.Requests, served.Load())
	}
}

func TestRateIsKeptAndDelayIsSeenFromWhenARequestWasDue(t *testing.T) {
	const rate, pause = 500, 100 * time.Millisecond
	var first atomic.Bool
	address := serve(t, func(http.ResponseWriter, *http.Request) {
		if !first.Swap(true) {
			time.Sleep(pause)
		}
	})
	r, err := Run(Load{Address: address, Connections: 1, Request: get, Status: 200, Rate: rate, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests < rate-1 || r.Requests > rate+1 {
		t.Errorf("%d requests in a second, want %d", r.Requests, rate)
	}
	// Those that had to wait for the first one to end are a twentieth.
	if p97 := r.Latencies.Quantile(.97); p97 < pause/4 {
		t.Errorf("p97 is %s: the wait behind the first request is not in it", p97)
	}
}

func TestAnotherStatusIsAnErrorThatTellsTheAnswer(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such thing", http.StatusNotFound) })
	_, err := Run(Load{Address: address, Connections: 1, Request: get, Status: 200, Duration: time.Second})
	if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("the error is %v", err)
	}
}

func TestConnectionClosedByTheServerIsAnError(t *testing.T) {
	address := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := Run(Load{Address: address, Connections: 1, Request: get, Status: 200, Duration: time.Second}); err == nil {
		t.Error("there is none")
	}
}
