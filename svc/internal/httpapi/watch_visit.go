package httpapi

import (
	"time"

	"configservice/svc/internal/watch"
)

// An attempt writes as much as a connection takes at once, and returns how much
// that was. It never waits.
type attempt func([]byte) (int, error)

// park leaves the stream to the couriers. It reports false while the stream
// needs a goroutine of its own.
func (st *stream) park() bool {
	if st.attempt == nil {
		return false
	}
	if !st.allowed.IsZero() { // or a deadline of the past would end the next attempt
		st.allowed = time.Time{}
		_ = st.line.SetWriteDeadline(st.allowed) // where it cannot be set, it was not
	}
	return st.watcher.Park(st.pause(), st.visit)
}

// visit is a courier's. What the connection does not take at once is left to a
// goroutine of the stream's own, so that a client that is slow holds up nobody.
func (st *stream) visit(events []*watch.Event, err error) (idle time.Duration, stay bool) {
	mine := true
	defer func() {
		if mine && !stay {
			st.close()
		}
	}()
	defer st.caught()
	if err == nil {
		err = st.viewer.Live()
	}
	if err != nil {
		mine = false
		go st.leave(err)
		return 0, false
	}
	d := st.deliver(events)
	n, err := st.attempt(d.bytes)
	if err != nil {
		return 0, false
	}
	if d.bytes = d.bytes[n:]; len(d.bytes) > 0 {
		mine = false
		go st.attend(d)
		return 0, false
	}
	st.observe(d.events)
	return st.pause(), true
}

// leave ends the stream for a reason that the client may want to know.
func (st *stream) leave(reason error) {
	defer st.close()
	defer st.caught()
	st.end(reason)
}
