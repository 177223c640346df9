package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"configservice/svc/internal/watch"
)

// A stream writes a watcher's events to one client as server-sent events. At
// any time it belongs to one goroutine: one of its own while it has something
// to wait for, such as a full connection or the past, and else to the couriers
// of its watcher.
type stream struct {
	*WatchOptions
	logger  *slog.Logger
	ctx     context.Context // what the request came with; over when the client has gone
	line    line
	attempt attempt // nil where every write may have to wait
	watcher *watch.Watcher
	viewer  Viewer
	started time.Time
	allowed time.Time                                          // until when a write may take, as the connection knows it
	done    func()                                             // tells the observer of the end
	traced  func(revision int64, committed, written time.Time) // nil: nobody wants to know
}

// A line is what a stream writes to. What is written goes out at once.
type line interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}

// How long a client stays away before it comes back: at random, so that a
// restart does not bring all of them back in one moment.
const (
	retryLowest = time.Second
	retrySpread = 4 * time.Second
)

// stream answers with the watcher's events, and closes the watcher in the end.
//
// The server is asked for the connection itself, and the request ends with
// that: a request that is kept waiting keeps some 20 KB of buffers and stack.
// So what counts requests counts a watch once it has begun, and a stop does not
// wait for it unless by [watch.Feed.Drain].
func (s *server) stream(w http.ResponseWriter, r *http.Request, watcher *watch.Watcher, resume bool) {
	control := http.NewResponseController(w)
	st := &stream{WatchOptions: &s.Watch, logger: s.Logger, ctx: r.Context(), line: response{w, control}, watcher: watcher,
		viewer: s.Watch.Viewer(r.Context()), started: time.Now(), traced: s.Watch.Observer.Delivering(r.Context())}
	head(w)
	if r.Method == http.MethodHead {
		watcher.Close()
		return
	}
	st.done = s.Watch.Observer.Watching("sse")
	if !st.send(st.greeting(resume)) {
		st.close()
		return
	}
	conn, _, err := control.Hijack()
	if err != nil { // not what the service runs on; it works all the same
		_ = control.SetReadDeadline(time.Time{}) // the server's own would end the stream
		st.attend(delivery{})
		return
	}
	ctx, gone := context.WithCancel(context.WithoutCancel(r.Context())) // this request's own is over now
	st.ctx, st.line, st.attempt, st.allowed = ctx, conn, attemptsOn(conn), time.Time{}
	go func() {
		awaitEnd(conn)
		gone()
		watcher.Leave()
	}()
	if !st.park() {
		go st.attend(delivery{})
	}
}

// head sends the head of the answer. The stream has no frame and ends with the
// connection.
func head(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Connection", "close")
	h.Set("Transfer-Encoding", "identity") // to net/http: no chunks; it is not sent
	w.WriteHeader(http.StatusOK)
}

// greeting is what a client needs before the first event. One that does not
// resume learns from which revision on it watches.
func (st *stream) greeting(resume bool) []byte {
	retry := retryLowest + rand.N(retrySpread)
	b := []byte("retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\n\n")
	if !resume {
		b = append(b, watch.Progress(watch.Bookmark, st.watcher.Revision()).Frame()...)
	}
	return b
}

// awaitEnd returns when the client has gone. It has nothing more to say.
func awaitEnd(conn net.Conn) {
	var ignored [64]byte
	for {
		if _, err := conn.Read(ignored[:]); err != nil {
			return
		}
	}
}

// A response is the line of a server that does not hand out connections.
type response struct {
	http.ResponseWriter
	*http.ResponseController
}

func (r response) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	if err == nil {
		err = r.ResponseController.Flush()
	}
	return n, err
}

// attend serves the stream with a goroutine of its own, beginning with what is
// left to write of what could not be written at once, until it can be parked or
// ends.
func (st *stream) attend(begun delivery) {
	parked := false
	defer func() {
		if !parked {
			st.close()
		}
	}()
	defer st.caught()
	if len(begun.bytes) == 0 || st.write(begun) {
		parked = st.run()
	}
}

// close ends the stream.
func (st *stream) close() {
	defer st.watcher.Close() // the last, for a stop waits for it
	defer st.done()
	if conn, ok := st.line.(net.Conn); ok {
		conn.Close()
	}
}

// caught keeps a panic from ending the process, as net/http does for requests.
func (st *stream) caught() {
	if p := recover(); p != nil {
		st.logger.ErrorContext(st.ctx, "a watch panicked", "panic", p, "stack", string(debug.Stack()))
	}
}

// run writes events until the stream is parked, which it reports, or has to
// end: the client is gone, is too slow or is no longer welcome, or the service
// stops.
func (st *stream) run() (parked bool) {
	idle := time.NewTimer(st.pause())
	defer idle.Stop()
	for {
		if st.park() {
			return true
		}
		events, err := st.watcher.Next(st.ctx, idle.C)
		if err == nil {
			err = st.viewer.Live()
		}
		if err != nil {
			st.end(err)
			return false
		}
		if !st.write(st.deliver(events)) {
			return false
		}
		idle.Reset(st.pause())
	}
}

// pause is how long the stream may be silent: not the same for all, or all
// would be told the same at the same moment.
func (st *stream) pause() time.Duration {
	return st.Bookmark - rand.N(st.Bookmark/5+1)
}

// A delivery is what is to be written, and what has been delivered then.
type delivery struct {
	bytes  []byte
	events []*watch.Event
}

// deliver returns what tells the client of events, or how current it is when
// there are none for it.
func (st *stream) deliver(events []*watch.Event) delivery {
	sent := events[:0]
	for _, e := range events {
		if e.Kind != watch.Change || st.viewer.Allowed(e.ApplicationID) {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return delivery{bytes: watch.Progress(watch.Bookmark, st.watcher.Revision()).Frame()}
	}
	return delivery{frames(sent), sent}
}

// write reports whether the stream can go on.
func (st *stream) write(d delivery) bool {
	if !st.send(d.bytes) {
		return false
	}
	st.observe(d.events)
	return true
}

func (st *stream) observe(sent []*watch.Event) {
	now := time.Now()
	for _, e := range sent {
		if e.Kind == watch.Resync {
			st.Observer.Event("resync")
			continue
		}
		st.Observer.Event("delivered")
		if st.traced != nil {
			st.traced(e.Revision, e.Committed, now)
		}
		// What had been committed before the client came says nothing of how
		// fast changes spread.
		if e.Committed.After(st.started) {
			st.Observer.Propagated(max(0, now.Sub(e.Committed)))
		}
	}
}

// end says why the stream ends, where the client can make use of it. It comes
// back by itself, with the last id.
func (st *stream) end(err error) {
	if errors.Is(err, watch.ErrSlow) {
		st.Observer.Event("dropped")
		st.send(watch.Progress(watch.SlowConsumer, st.watcher.Revision()).Frame())
		return
	}
	st.send([]byte(": the stream ends here, resume it\n\n"))
}

// frames returns what events are on the wire: the shared bytes themselves when
// it is one, as it nearly always is.
func frames(events []*watch.Event) []byte {
	if len(events) == 1 {
		return events[0].Frame()
	}
	var all []byte
	for _, e := range events {
		all = append(all, e.Frame()...)
	}
	return all
}

// send writes b, and reports whether that could be done.
func (st *stream) send(b []byte) bool {
	st.limit()
	_, err := st.line.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		st.Observer.Event("dropped")
	}
	return err == nil
}

// limit bounds how long the next write may take, by between half of
// WriteTimeout and all of it: a new deadline for each write would cost more
// than the write of a small event.
func (st *stream) limit() {
	if now := time.Now(); st.allowed.Sub(now) < st.WriteTimeout/2 {
		st.allowed = now.Add(st.WriteTimeout)
		_ = st.line.SetWriteDeadline(st.allowed) // where the server cannot, nothing is lost
	}
}
