package limit

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

// rejections notes what an observer is told.
type rejections struct {
	mu     sync.Mutex
	limits []string
}

func (o *rejections) Rejected(_ context.Context, limit string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limits = append(o.limits, limit)
}

func (o *rejections) want(t *testing.T, limits ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.limits, limits) {
		t.Errorf("rejected by %q, want %q", o.limits, limits)
	}
	o.limits = nil
}

type guard interface {
	Guard(http.ResponseWriter, *http.Request, http.Handler) error
}

// through sends a request through g and reports how it ended, and with which
// Retry-After.
func through(g guard, method, from string, handler http.HandlerFunc) (conf.Code, string) {
	r, w := httptest.NewRequest(method, "/", nil), httptest.NewRecorder()
	r.RemoteAddr = from
	err := g.Guard(w, r, handler)
	return conf.CodeOf(err), w.Header().Get("Retry-After")
}

func nothing(http.ResponseWriter, *http.Request) {}

func TestFullServiceWaitsOrStaysFull(t *testing.T) {
	const most = 3
	o := &rejections{}
	c := NewRequests(most, o)
	entered, release := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	for range most {
		slow.Go(func() {
			through(c, "GET", "", func(http.ResponseWriter, *http.Request) { entered <- struct{}{}; <-release })
		})
	}
	for range most {
		<-entered
	}
	for range 10 { // a refusal must not take a place
		if code, _ := through(c, "GET", "", nothing); code != conf.Overloaded {
			t.Fatalf("with every place taken: %q", code)
		}
	}
	o.want(t, slices.Repeat([]string{Concurrency}, 10)...)
	release <- struct{}{}
	for code := conf.Overloaded; code == conf.Overloaded; { // until the handler has returned
		code, _ = through(c, "GET", "", nothing)
	}
	close(release)
	slow.Wait()
	for range 10 * most {
		if code, _ := through(c, "GET", "", nothing); code != "" {
			t.Fatalf("after the load has gone: %q", code)
		}
	}
}

func TestHandlerThatPanicsKeepsItsPlace(t *testing.T) {
	c := NewRequests(1, &rejections{})
	for range 3 {
		func() {
			defer func() { recover() }()
			through(c, "GET", "", func(http.ResponseWriter, *http.Request) { panic("no") })
		}()
	}
	if code, _ := through(c, "GET", "", nothing); code != "" {
		t.Errorf("afterwards: %q", code)
	}
}

func TestWatchersAreCountedAsRequests(t *testing.T) {
	o := &rejections{}
	if code, _ := through(NewWatchers(0, o), "GET", "", nothing); code != conf.Overloaded {
		t.Errorf("one too many: %q", code)
	}
	o.want(t, Watchers)
}

// A rated is a limiter of writes with a clock that a test sets.
type rated struct {
	*Writes
	*rejections
	clock time.Time
}

func newRated(rate float64, burst int) *rated {
	r := &rated{rejections: &rejections{}, clock: time.Unix(1_000_000_000, 0)}
	r.Writes = NewWrites(rate, burst, Address, r.rejections)
	r.Writes.now = func() time.Time { return r.clock }
	return r
}

// write returns how many of n writes at once come through.
func (r *rated) write(n int, from string) (passed int) {
	for range n {
		if code, _ := through(r, "POST", from, nothing); code == "" {
			passed++
		}
	}
	return passed
}

func TestWritesBeyondTheRatePassOrWithinItDoNot(t *testing.T) {
	r := newRated(2, 5)
	for _, step := range []struct {
		after time.Duration
		want  int
	}{
		{0, 5},                      // the burst
		{499 * time.Millisecond, 0}, // a write's worth has not come back yet
		{time.Millisecond, 1},       //
		{3 * time.Second, 5},        // six have, and no more than a burst is kept
		{time.Hour, 5},              //
		{time.Second, 2},            //
	} {
		r.clock = r.clock.Add(step.after)
		if got := r.write(8, "192.0.2.1:1"); got != step.want {
			t.Errorf("%v later %d writes passed, want %d", step.after, got, step.want)
		}
	}
}

func TestRefusedWriteDoesNotSayWhenOrIsNotCounted(t *testing.T) {
	r := newRated(0.1, 1)
	r.write(1, "192.0.2.1:1")
	for after, want := range map[time.Duration]string{0: "10", 100 * time.Millisecond: "10", 9500 * time.Millisecond: "1"} {
		start := r.clock
		r.clock = start.Add(after)
		if code, wait := through(r, "DELETE", "192.0.2.1:1", nothing); code != conf.RateLimited || wait != want {
			t.Errorf("after %v: %q, Retry-After %q, want %q", after, code, wait, want)
		}
		r.clock = start
	}
	r.want(t, WriteRate, WriteRate, WriteRate)
	r.clock = r.clock.Add(10 * time.Second)
	if code, _ := through(r, "POST", "192.0.2.1:1", nothing); code != "" {
		t.Errorf("after the wait that was asked for: %q", code)
	}
}

func TestReadsPayForWrites(t *testing.T) {
	r := newRated(1, 1)
	r.write(1, "192.0.2.1:1")
	for _, method := range []string{"GET", "HEAD"} {
		if code, _ := through(r, method, "192.0.2.1:1", nothing); code != "" {
			t.Errorf("%s: %q", method, code)
		}
	}
}

func TestCallersAreTakenForOneAnother(t *testing.T) {
	r := newRated(1, 1)
	r.write(1, "192.0.2.1:1")
	for from, want := range map[string]int{
		"192.0.2.1:2":          0, // another connection
		"[::ffff:192.0.2.1]:3": 0, // the same address in other words
		"192.0.2.2:1":          1,
		"[2001:db8:0:1::1]:1":  1,
		"[2001:db8:0:2::1]:1":  1,
	} {
		if got := r.write(2, from); got != want {
			t.Errorf("%d writes from %s passed, want %d", got, from, want)
		}
	}
	if r.write(1, "[2001:db8:0:1::2]:1") != 0 {
		t.Error("a client with a network to itself has a bucket for each address")
	}
}

// As many callers as somebody can make up must cost neither memory nor those
// who were there before.
func TestManyCallersFillTheMemory(t *testing.T) {
	r := newRated(1, 2)
	r.write(2, "192.0.2.1:1")
	for i := range 2 * maxCallers {
		r.write(1, fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&0xff, i&0xff))
	}
	if n := len(r.full); n > maxCallers+1 {
		t.Fatalf("%d callers are kept", n)
	}
	if r.write(1, "192.0.2.1:1") != 0 {
		t.Error("a caller was forgotten before its time")
	}
	if r.write(9, "198.51.100.1:1") != 0 {
		t.Error("those without a bucket of their own do not share one")
	}
	r.clock = r.clock.Add(10 * time.Second)
	if got := r.write(9, "198.51.100.1:1"); got != 2 || len(r.full) > 10 {
		t.Errorf("afterwards %d writes of a new caller passed, and %d callers are kept", got, len(r.full))
	}
}

func BenchmarkWrites(b *testing.B) {
	w := NewWrites(1e6, 1e6, Address, &rejections{})
	b.ReportAllocs()
	for b.Loop() {
		w.take("192.0.2.1")
	}
}
