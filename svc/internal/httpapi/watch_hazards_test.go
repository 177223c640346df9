package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/watch"
)

// A ledger counts what becomes of watches.
type ledger struct {
	watching, delivered, dropped, resync, propagated atomic.Int64
}

func (l *ledger) Watching(string) func() {
	l.watching.Add(1)
	return func() { l.watching.Add(-1) }
}

func (l *ledger) Event(outcome string) {
	map[string]*atomic.Int64{"delivered": &l.delivered, "dropped": &l.dropped, "resync": &l.resync}[outcome].Add(1)
}

func (l *ledger) Delivering(context.Context) func(int64, time.Time, time.Time) { return nil }

func (l *ledger) Propagated(time.Duration) { l.propagated.Add(1) }

// lazyWatch opens a stream and reads no more than its head.
func lazyWatch(t *testing.T, a *api) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	conn.SetReadDeadline(time.Now().Add(3 * watchTimeout))
	fmt.Fprint(conn, "GET /api/v1/watch HTTP/1.0\r\n\r\n") // so that the body comes as it is
	r := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "event: bookmark"); {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

const bigConfig, bigChanges = 200 << 10, 100 // more than sockets hold

// writeBig makes two changes and then bigChanges large ones, and calls after
// after each.
func writeBig(t *testing.T, store conf.Store, after func()) {
	t.Helper()
	writeLarge(t, store, bigChanges, after)
}

// writeLarge is writeBig with n large ones.
func writeLarge(t *testing.T, store conf.Store, n int, after func()) {
	t.Helper()
	app, err := store.CreateApplication(t.Context(), conf.Application{Name: "big"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: app.ID, Name: "flags", Config: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	after()
	after()
	text := []byte(`{"text":"` + strings.Repeat("x", bigConfig) + `"}`)
	for range n {
		if _, err := store.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error {
			c.Config = text
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		after()
	}
}

// watchedStore is watched with the store that tells the feed.
func watchedStore(t *testing.T, fo watch.Options, wo httpapi.WatchOptions) (*api, conf.Store) {
	t.Helper()
	store := openStore(t)
	fo.Source = store
	wo.Feed = startTold(t, fo)
	return serveWith(t, loadContract(t), httpapi.Options{Store: store, Watch: wo}), store
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestSlowReaderHoldsUpOthersOrFillsMemory(t *testing.T) {
	l := &ledger{}
	a, store := watchedStore(t, watch.Options{Memory: 1 << 20}, httpapi.WatchOptions{Observer: l, WriteTimeout: time.Minute})
	slow, quick := lazyWatch(t, a), a.watch("", "")
	before := heap()
	writeBig(t, store, func() { quick.change() })
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("%d bytes of changes for a reader that is stuck made the heap grow by %d", bigConfig*bigChanges, grown)
	}
	rest, err := io.ReadAll(slow) // now it reads, and is told
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndex(string(rest), "event: slow-consumer\ndata: ")
	if i < 0 {
		t.Fatalf("the slow reader was not told; its stream ended with %q", rest[max(0, len(rest)-200):])
	}
	equal(t, "dropped", l.dropped.Load(), int64(1))
	last := strings.LastIndex(string(rest), "id: ")
	id, _, _ := strings.Cut(string(rest[last+4:]), "\n")
	resumed := a.watch("", id)
	for n := bigChanges + 2 - decode[int](t, answer{body: id}); n > 0; n-- {
		resumed.change()
	}
}

func TestStuckConnectionIsKeptForEver(t *testing.T) {
	l := &ledger{}
	a, store := watchedStore(t, watch.Options{Memory: 64 << 20}, httpapi.WatchOptions{Observer: l, WriteTimeout: 50 * time.Millisecond})
	lazyWatch(t, a)
	writeBig(t, store, func() {})
	testwait.Until(t, "the watcher is gone", func() bool { return l.watching.Load() == 0 })
	equal(t, "dropped", l.dropped.Load(), int64(1))
}

func TestStopWaitsForStreams(t *testing.T) {
	feed := startFeed(t, watch.Options{Source: openStore(t)})
	a := serveWith(t, loadContract(t), httpapi.Options{Store: openStore(t), Watch: httpapi.WatchOptions{Feed: feed, Bookmark: time.Hour}})
	ws := a.watch("", "")
	ws.any()
	feed.Stop()
	if rest, err := ws.rest(); err != nil || !strings.HasPrefix(rest, ": ") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), watchTimeout)
	defer cancel()
	if err := a.server.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func TestTimeoutsOfTheServerEndStreamsAndLongPolls(t *testing.T) {
	const timeout = 200 * time.Millisecond
	store := openStore(t)
	calm := serveWith(t, loadContract(t), httpapi.Options{Store: store})
	c := calm.createConfiguration(calm.createApplication("checkout"), "flags", `{}`)
	feed := startFeed(t, watch.Options{Source: store}) // of what happens from now on
	handler, err := httpapi.New(httpapi.Options{Store: store, Watch: httpapi.WatchOptions{Feed: feed, Bookmark: timeout / 2}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = timeout, timeout
	server.Start()
	t.Cleanup(server.Close)
	a := &api{t, loadContract(t), server}
	ws := a.watch("", "")
	a.want(http.StatusNotModified, call{method: "GET", path: "/api/v1/configurations/" + c.ID + "?version=1&wait=500ms"})
	for range 5 {
		equal(t, "kind", ws.any().kind, "bookmark")
	}
}

func TestProxyHoldsEventsBack(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{}, httpapi.WatchOptions{Bookmark: time.Hour})
	target, _ := url.Parse(a.server.URL)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	t.Cleanup(proxy.Close)
	ws, err := openWatch(t, proxy.URL+"/api/v1/watch", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ws.close)
	ws.any()
	for i := range int64(3) { // each must come before the next is made
		a.createApplication(fmt.Sprint("app ", i))
		equal(t, "revision", ws.change().Revision, i+1)
	}
	equal(t, "X-Accel-Buffering", ws.header.Get("X-Accel-Buffering"), "no")
}

func TestWatcherThatIsGoneLeavesSomethingBehind(t *testing.T) {
	const n = 30
	l := &ledger{}
	a := watched(t, openStore(t), watch.Options{MaxWatchers: n}, httpapi.WatchOptions{Observer: l})
	for range 3 { // more than the limit in all
		var crowd []*watching
		for range n {
			crowd = append(crowd, a.watch("", ""))
		}
		got := a.want(http.StatusServiceUnavailable, call{method: "GET", path: "/api/v1/watch"})
		equal(t, "Retry-After", got.header.Get("Retry-After"), "1")
		equal(t, "code", decode[problem](t, got).Code, "overloaded")
		for _, ws := range crowd {
			ws.close()
		}
		testwait.Until(t, "all are gone", func() bool { return l.watching.Load() == 0 })
	}
	testwait.Until(t, "no goroutine is left", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "httpapi.(*stream)")
	})
}

func TestRestartBringsAllBackAtOnce(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{}, httpapi.WatchOptions{})
	hints := map[string]bool{}
	for range 20 {
		ws := a.watch("", "")
		ws.any()
		hints[ws.retry] = true
		ws.close()
	}
	if len(hints) < 10 {
		t.Errorf("20 clients were told to come back after %v ms", hints)
	}
}

// A viewer may see all but one application, until it is gone.
type viewer struct {
	forbidden *atomic.Value
	gone      *atomic.Bool
}

func (v viewer) Allowed(id string) bool { return id != v.forbidden.Load() }

func (v viewer) Live() error {
	if v.gone.Load() {
		return errors.New("revoked")
	}
	return nil
}

func TestRightsAreCheckedOnlyAtTheStart(t *testing.T) {
	var forbidden atomic.Value
	var gone atomic.Bool
	forbidden.Store("")
	a := watched(t, openStore(t), watch.Options{}, httpapi.WatchOptions{
		Viewer: func(context.Context) httpapi.Viewer { return viewer{&forbidden, &gone} }})
	mine, theirs := a.createApplication("mine"), a.createApplication("theirs")
	a.settle(theirs.Revision)
	live := a.watch("", "")
	forbidden.Store(theirs.ID)
	past := a.watch("?since=2", "")
	a.createConfiguration(theirs, "secret", `{"password":"x"}`)
	visible := a.createConfiguration(mine, "flags", `{}`)
	for _, ws := range []*watching{live, past} {
		equal(t, "revision", ws.change().Revision, visible.Revision)
	}
	gone.Store(true)
	a.createConfiguration(mine, "more flags", `{"password":"x"}`)
	if rest, err := live.rest(); err != nil || strings.Contains(rest, "event: change") {
		t.Errorf("who is no longer welcome got %q, %v", rest, err)
	}
}

func TestWhatTheObserverIsToldIsNotWhatHappened(t *testing.T) {
	l := &ledger{}
	store := openStore(t)
	a := watched(t, store, watch.Options{Memory: tinyRing}, httpapi.WatchOptions{Observer: l})
	a.createApplication("before")
	ws := a.watch("?since=0", "")
	ws.change()
	a.createApplication("after")
	ws.change()
	testwait.Until(t, "two deliveries", func() bool { return l.delivered.Load() == 2 })
	equal(t, "propagated", l.propagated.Load(), int64(1)) // what is read from the past did not spread slowly
	a.createConfiguration(a.createApplication("x"), "flags", `{}`)
	if err := store.Prune(t.Context(), conf.Retention{Versions: 1, Age: -time.Hour, Audit: -time.Hour}); err != nil {
		t.Fatal(err)
	}
	old := a.watch("?since=0", "")
	if e := old.next(); e.kind == "resync" {
		testwait.Until(t, "one resync", func() bool { return l.resync.Load() == 1 })
	}
	equal(t, "watching", l.watching.Load(), int64(2))
}
