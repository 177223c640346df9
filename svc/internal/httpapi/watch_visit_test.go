package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/watch"
)

// A narrow listener's connections take little at once.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
	}
	return conn, err
}

// A veiled listener hides what its connections are, as TLS does.
type veiled struct{ net.Listener }

func (l veiled) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return struct{ net.Conn }{conn}, err
}

// serveOn is like watchedStore, on another listener.
func serveOn(t *testing.T, on func(net.Listener) net.Listener, wo httpapi.WatchOptions) (*api, conf.Store) {
	t.Helper()
	store := openStore(t)
	wo.Feed = startTold(t, watch.Options{Source: store})
	handler, err := httpapi.New(httpapi.Options{Store: store, Watch: wo})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Listener = on(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	return &api{t, loadContract(t), server}, store
}

func onNarrow(l net.Listener) net.Listener { return narrow{l} }

const largeChanges = 10 // more than narrow connections take

// What a full connection takes is the beginning of an event; the rest must come
// before anything else does.
func TestEventThatIsWrittenInPartIsCutOrMixedWithTheNext(t *testing.T) {
	l := &ledger{}
	a, store := serveOn(t, onNarrow, httpapi.WatchOptions{Observer: l, WriteTimeout: time.Minute, Bookmark: time.Hour})
	slow, quick := lazyWatch(t, a), a.watch("", "")
	writeLarge(t, store, largeChanges, func() { quick.change() })
	equal(t, "events delivered before the slow one reads", l.delivered.Load() < 2*(largeChanges+2), true)
	ws := &watching{t: t, lines: slow, cancel: func() {}}
	_, _ = slow.ReadString('\n') // the data of the bookmark
	for n := int64(1); n <= largeChanges+2; n++ {
		tx := ws.change()
		if tx.Revision != n || n > 2 && len(tx.Changes[0].Config) != bigConfig+len(`{"text":""}`) {
			t.Fatalf("event %d is revision %d, with %d bytes", n, tx.Revision, len(tx.Changes[0].Config))
		}
	}
	testwait.Until(t, "all are counted, each once", func() bool { return l.delivered.Load() == 2*(largeChanges+2) })
	equal(t, "dropped", l.dropped.Load(), int64(0))
}

// More are stuck than there are couriers.
func TestStuckConnectionsHoldUpTheOthers(t *testing.T) {
	l := &ledger{}
	a, store := serveOn(t, onNarrow, httpapi.WatchOptions{Observer: l, WriteTimeout: time.Minute})
	for range 3 * runtime.GOMAXPROCS(0) {
		lazyWatch(t, a)
	}
	quick, past := a.watch("", ""), a.watch("?since=0", "")
	n := int64(0)
	writeLarge(t, store, largeChanges, func() {
		n++
		equal(t, "revision", quick.change().Revision, n)
		equal(t, "revision of who resumed", past.change().Revision, n)
	})
	equal(t, "dropped", l.dropped.Load(), int64(0))
}

// The deadline of a write that had to wait must not be that of a later one.
func TestStreamThatWasOnceSlowIsCutOffLater(t *testing.T) {
	const timeout = 500 * time.Millisecond
	l := &ledger{}
	a, store := serveOn(t, onNarrow, httpapi.WatchOptions{Observer: l, WriteTimeout: timeout, Bookmark: time.Hour})
	slow := lazyWatch(t, a)
	go func() { _, _ = io.Copy(io.Discard, slow) }()
	writeLarge(t, store, largeChanges, func() {})
	testwait.Until(t, "it has caught up", func() bool { return l.delivered.Load() == largeChanges+2 })
	over := time.NewTimer(2 * timeout)
	<-over.C
	a.createApplication("later")
	testwait.Until(t, "it gets what comes later", func() bool { return l.delivered.Load() == largeChanges+3 })
	equal(t, "dropped", l.dropped.Load(), int64(0))
}

// A nervous viewer panics when it is asked about one application.
type nervous struct{ about *atomic.Value }

func (nervous) Live() error { return nil }

func (v nervous) Allowed(id string) bool {
	if id == v.about.Load() {
		panic("a mistake in the program")
	}
	return true
}

func TestPanicOfOneStreamEndsTheProcessOrOtherStreams(t *testing.T) {
	l := &ledger{}
	var log lockedBuffer
	var about atomic.Value
	about.Store("")
	first := true
	store := openStore(t)
	feed := startTold(t, watch.Options{Source: store})
	a := serveWith(t, loadContract(t), httpapi.Options{
		Store: store, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Watch: httpapi.WatchOptions{Feed: feed, Observer: l, Viewer: func(context.Context) httpapi.Viewer {
			if first {
				first = false
				return calm{}
			}
			return nervous{&about}
		}}})
	app := a.createApplication("flaky")
	a.settle(app.Revision)
	other := a.watch("", "")
	parked := a.watch("", "")
	about.Store(app.ID)
	past := a.watch("?since=0", "") // it is read by a goroutine of the stream's own
	a.createConfiguration(app, "flags", `{}`)
	for name, ws := range map[string]*watching{"parked": parked, "past": past} {
		if rest, err := ws.rest(); err != nil || strings.Contains(rest, "event: change") {
			t.Errorf("the stream that panicked (%s) ended with %q, %v", name, rest, err)
		}
	}
	equal(t, "revision of another", other.change().Revision, int64(2))
	testwait.Until(t, "both are gone", func() bool { return l.watching.Load() == 1 })
	equal(t, "panics in the log", strings.Count(log.String(), "a mistake in the program"), 2)
}

type calm struct{}

func (calm) Live() error         { return nil }
func (calm) Allowed(string) bool { return true }

// A lockedBuffer can be written by one goroutine and read by another.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestConnectionThatCannotBeWrittenAtOnceHasNoStream(t *testing.T) {
	l := &ledger{}
	a, _ := serveOn(t, func(l net.Listener) net.Listener { return veiled{l} }, httpapi.WatchOptions{Observer: l, Bookmark: 20 * time.Millisecond})
	ws := a.watch("", "")
	for i := range int64(5) {
		a.createApplication(fmt.Sprint("app ", i))
		equal(t, "revision", ws.change().Revision, i+1)
	}
	equal(t, "kind", ws.any().kind, "bookmark")
	ws.close()
	testwait.Until(t, "it is gone", func() bool { return l.watching.Load() == 0 })
}

// A tracer notes what is told of the deliveries of watches.
type tracer struct {
	*ledger
	told chan [2]time.Time
}

func (tr tracer) Delivering(context.Context) func(int64, time.Time, time.Time) {
	return func(revision int64, committed, written time.Time) { tr.told <- [2]time.Time{committed, written} }
}

func TestDeliveryIsTracedWithTheWrongTimes(t *testing.T) {
	tr := tracer{&ledger{}, make(chan [2]time.Time, 10)}
	a := watched(t, openStore(t), watch.Options{Memory: tinyRing}, httpapi.WatchOptions{Observer: tr})
	a.createApplication("before")
	a.settle(a.createApplication("just before").Revision)
	ws := a.watch("?since=0", "")
	ws.change()
	ws.change()
	for range 2 {
		if times := <-tr.told; !times[0].IsZero() {
			t.Errorf("what is from history is told as committed at %s", times[0])
		}
	}
	app := a.createApplication("after")
	ws.change()
	times := <-tr.told
	equal(t, "time of the commit", times[0].UTC(), decode[conf.Application](t, a.get("/api/v1/applications/"+app.ID)).CreatedAt.UTC())
	if times[1].Before(times[0]) {
		t.Errorf("committed at %s, written at %s", times[0], times[1])
	}
}
