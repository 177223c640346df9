package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"configservice/svc/internal/watch"
)

// A stream writes a watcher's events to one client as server-sent events.
type stream struct {
	*WatchOptions
	w       http.ResponseWriter
	control *http.ResponseController
	watcher *watch.Watcher
	started time.Time
	allowed time.Time // until when a write may take, as the connection knows it
	idle    *time.Timer
}

func (s *server) newStream(w http.ResponseWriter, watcher *watch.Watcher) *stream {
	return &stream{WatchOptions: &s.Watch, w: w, control: http.NewResponseController(w), watcher: watcher, started: time.Now()}
}

// How long a client stays away before it comes back: at random, so that a
// restart does not bring all of them back in one moment.
const (
	retryLowest = time.Second
	retrySpread = 4 * time.Second
)

// open sends the head and what a client needs before the first event. One that
// does not resume learns from which revision on it watches.
func (st *stream) open(headOnly, resume bool) {
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	h.Set("X-Content-Type-Options", "nosniff")
	st.w.WriteHeader(http.StatusOK)
	if headOnly {
		return
	}
	_ = st.control.SetReadDeadline(time.Time{}) // the server's own would end the stream
	retry := retryLowest + rand.N(retrySpread)
	first := "retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\n\n"
	if !resume {
		first += string(watch.Progress(watch.Bookmark, st.watcher.Revision()).Frame)
	}
	st.send([]byte(first))
}

// run writes events until the client is gone, is too slow or is no longer
// welcome, or the service stops.
func (st *stream) run(ctx context.Context) {
	st.idle = time.NewTimer(st.pause())
	defer st.idle.Stop()
	for {
		events, err := st.watcher.Next(ctx, st.idle.C)
		if err == nil {
			err = st.Live(ctx)
		}
		if err != nil {
			st.end(err)
			return
		}
		if !st.deliver(ctx, events) {
			return
		}
		st.idle.Reset(st.pause())
	}
}

// pause is how long the stream may be silent: not the same for all, or all
// would be told the same at the same moment.
func (st *stream) pause() time.Duration {
	return st.Bookmark - rand.N(st.Bookmark/5+1)
}

// deliver writes events, or a bookmark when there are none. It reports whether
// the stream can go on.
func (st *stream) deliver(ctx context.Context, events []*watch.Event) bool {
	sent := events[:0]
	for _, e := range events {
		if e.Kind != watch.Change || st.Allowed(ctx, e.ApplicationID) {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return st.send(watch.Progress(watch.Bookmark, st.watcher.Revision()).Frame)
	}
	for _, e := range sent {
		st.limit()
		if _, err := st.w.Write(e.Frame); err != nil {
			st.lost(err)
			return false
		}
	}
	if err := st.control.Flush(); err != nil {
		st.lost(err)
		return false
	}
	st.observe(sent)
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
		st.send(watch.Progress(watch.SlowConsumer, st.watcher.Revision()).Frame)
		return
	}
	st.send([]byte(": the stream ends here, resume it\n\n"))
}

// send writes and flushes b, and reports whether that could be done.
func (st *stream) send(b []byte) bool {
	st.limit()
	_, err := st.w.Write(b)
	if err == nil {
		err = st.control.Flush()
	}
	if err != nil {
		st.lost(err)
	}
	return err == nil
}

// limit bounds how long the next write may take, by between half of
// WriteTimeout and all of it: a new deadline for each write would cost more
// than the write of a small event.
func (st *stream) limit() {
	if now := time.Now(); st.allowed.Sub(now) < st.WriteTimeout/2 {
		st.allowed = now.Add(st.WriteTimeout)
		_ = st.control.SetWriteDeadline(st.allowed) // where the server cannot, nothing is lost
	}
}

func (st *stream) lost(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		st.Observer.Event("dropped")
	}
}
