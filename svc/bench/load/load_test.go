//go:build linux

package load

import (
	"errors"
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

func TestWarmUpIsMeasured(t *testing.T) {
	var served atomic.Int64
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { served.Add(1) })
	var before int64
	r, err := Run(Load{
		Address: address, Connections: 4, Request: get, Status: 200, Duration: 50 * time.Millisecond, WarmUp: 100 * time.Millisecond,
		Begin: func() error { before = served.Load(); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if before == 0 || int64(r.WarmUps) != before || int64(r.WarmUps+r.Requests) != served.Load() {
		t.Errorf("%d and %d are counted; %d were served before the beginning, %d in all", r.WarmUps, r.Requests, before, served.Load())
	}
	want := errors.New("cannot begin")
	if _, err := Run(Load{Address: address, Connections: 1, Request: get, Status: 200, Begin: func() error { return want }}); !errors.Is(err, want) {
		t.Errorf("the error is %v, want %v", err, want)
	}
}

// The load itself is busy for a while with its second request, of the warm-up or
// of what is measured.
func TestLoadThatDidNotGetToItsConnectionsDoesNotTell(t *testing.T) {
	const busy = 30 * time.Millisecond
	address := serve(t, func(http.ResponseWriter, *http.Request) {})
	heldUp := func(warmUp time.Duration) time.Duration {
		sent := 0
		r, err := Run(Load{Address: address, Connections: 1, Status: 200, Pinned: true, Rate: 1000, WarmUp: warmUp, Duration: 40 * time.Millisecond, Request: func(int) []byte {
			if sent++; sent == 2 {
				for began := time.Now(); time.Since(began) < busy; {
				}
			}
			return get(0)
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r.HeldUp
	}
	if got := heldUp(0); got < busy {
		t.Errorf("it was held up for %s, want %s at least", got, busy)
	}
	if got := heldUp(40 * time.Millisecond); got == 0 || got >= busy {
		t.Errorf("held up in its warm-up only, it was for %s", got)
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
