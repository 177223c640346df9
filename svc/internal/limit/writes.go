package limit

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"configservice/svc/internal/conf"
)

// maxCallers bounds the memory of [Writes]: some 100 bytes for each.
const maxCallers = 10_000

// Writes bounds the rate of writes of each caller, by the generic cell rate
// algorithm (ITU-T I.371): a token bucket of which one time is all there is to
// remember.
//
// It knows a bounded number of callers at a time. When more than that write at
// once, those that it has no room for share one bucket.
type Writes struct {
	caller   func(*http.Request) string
	observer Observer
	now      func() time.Time
	interval time.Duration // between writes at the rate
	slack    time.Duration // how far ahead of the rate a burst may be

	mu    sync.Mutex
	full  map[string]time.Time // when each caller's bucket will be full again
	swept time.Time
}

// NewWrites returns a bound of rate writes a second, and of burst at once, for
// each that caller tells apart.
func NewWrites(rate float64, burst int, caller func(*http.Request) string, o Observer) *Writes {
	interval := time.Duration(float64(time.Second) / rate)
	return &Writes{
		caller: caller, observer: o, now: time.Now,
		interval: interval, slack: time.Duration(burst) * interval,
		full: map[string]time.Time{},
	}
}

// Guard answers by next what is no write, and writes within the rate. For any
// other it sets Retry-After and returns an error of code [conf.RateLimited].
func (l *Writes) Guard(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if wait := l.take(l.caller(r)); wait > 0 {
			l.observer.Rejected(r.Context(), WriteRate)
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			return conf.Errorf(conf.RateLimited, "this caller writes faster than %.4g times a second; wait before the next", float64(time.Second)/float64(l.interval))
		}
	}
	next.ServeHTTP(w, r)
	return nil
}

// take counts a write of caller's and returns 0, or else how long to wait.
func (l *Writes) take(caller string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	caller = l.room(caller, now)
	full := l.full[caller]
	if full.Before(now) {
		full = now
	}
	full = full.Add(l.interval)
	if wait := full.Sub(now) - l.slack; wait > 0 {
		return wait
	}
	l.full[caller] = full
	return 0
}

// room returns the bucket to use for caller: its own, if there is one or room
// for one, or else that of all others. A full bucket says no more than none,
// so full ones make room; they are looked for once a second at most.
func (l *Writes) room(caller string, now time.Time) string {
	const others = ""
	if _, known := l.full[caller]; known || len(l.full) < maxCallers {
		return caller
	}
	if now.Sub(l.swept) < time.Second {
		return others
	}
	l.swept = now
	for c, full := range l.full {
		if !full.After(now) {
			delete(l.full, c)
		}
	}
	if len(l.full) < maxCallers {
		return caller
	}
	return others
}

// Address returns what stands for a client without a token: its address, or of
// an IPv6 address the network of 64 bits that one client has to itself.
func Address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := peer.Addr().Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	network, _ := address.Prefix(64) // never fails for IPv6
	return network.String()
}
