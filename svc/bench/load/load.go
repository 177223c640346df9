//go:build linux

// Package load makes HTTP/1.1 requests of one server from a single thread that
// spends as little as it can: what it measures should be the server.
package load

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A Load is what to ask of a server, and for how long.
type Load struct {
	Address     string // IPv4:PORT
	Connections int

	// Request returns the bytes of the next request of a connection. They
	// are not kept.
	Request func(connection int) []byte

	// Pinned keeps the load to the first processor, so that a server may have
	// another to itself. The load then never sleeps: to wake it would be work of
	// the server's, and the more the longer it takes.
	Pinned bool

	// Status is the only one that answers may have.
	Status int

	// Rate is how many requests are to be sent a second, each measured from
	// the moment that it was due; 0 means that each connection sends its next
	// one as soon as it has its answer.
	Rate float64

	// WarmUp is for how long the load is put on first, over the same connections,
	// without being measured; then Begin is called, if there is one.
	WarmUp time.Duration
	Begin  func() error

	Duration time.Duration
}

// A Result is what became of a load. Every request counted has been answered.
type Result struct {
	Requests  int
	WarmUps   int // requests before
	Elapsed   time.Duration
	HeldUp    time.Duration // at most, that a load which never sleeps did not get to its connections
	Latencies Histogram
}

// answerDeadline bounds the wait for the answers that are still missing when a
// load is over.
const answerDeadline = 10 * time.Second

// Run puts l on its server, after its warm-up. It fails at the first answer that
// has another status, and when the connection is lost or stays silent.
func Run(l Load) (Result, error) {
	if l.Pinned {
		release, err := pin()
		if err != nil {
			return Result{}, fmt.Errorf("the load cannot keep to one processor: %w", err)
		}
		defer release()
	}
	r := &run{Load: l, connections: make([]*connection, l.Connections)}
	defer r.close()
	if err := r.work(); err != nil {
		return Result{}, fmt.Errorf("load on %s: %w", l.Address, err)
	}
	return r.result, nil
}

// pin keeps the caller's thread to the first processor until release.
func pin() (release func(), err error) {
	runtime.LockOSThread()
	var before, first unix.CPUSet
	first.Set(0)
	err = errors.Join(unix.SchedGetaffinity(0, &before), unix.SchedSetaffinity(0, &first))
	return func() {
		_ = unix.SchedSetaffinity(0, &before) // it was possible before
		runtime.UnlockOSThread()
	}, err
}

// A run is a load under way. It is of one goroutine alone.
type run struct {
	Load
	poll        int // the epoll instance
	connections []*connection
	idle        []*connection
	busy        int
	started     time.Time
	sent        int
	result      Result
}

// work warms the server up, and measures it.
func (r *run) work() error {
	if err := r.open(); err != nil {
		return err
	}
	if err := r.loop(r.WarmUp); err != nil {
		return err
	}
	r.result = Result{WarmUps: r.result.Requests}
	if r.Begin != nil {
		if err := r.Begin(); err != nil {
			return err
		}
	}
	return r.loop(r.Duration)
}

func (r *run) open() (err error) {
	if r.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	for i := range r.connections {
		c, err := dial(r.Address, i)
		if err != nil {
			return err
		}
		r.connections[i] = c
		r.idle = append(r.idle, c)
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(r.poll, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) close() {
	for _, c := range r.connections {
		if c != nil {
			unix.Close(c.fd)
		}
	}
	unix.Close(r.poll)
}

// loop keeps the load up for so long, and returns once all is answered.
func (r *run) loop(long time.Duration) error {
	events := make([]unix.EpollEvent, r.Connections)
	r.started, r.sent = time.Now(), 0
	var before time.Duration
	for {
		elapsed := time.Since(r.started)
		if r.Pinned {
			r.result.HeldUp = max(r.result.HeldUp, elapsed-before)
		}
		before = elapsed
		if elapsed < long {
			if err := r.send(elapsed); err != nil {
				return err
			}
		} else if r.busy == 0 {
			return nil
		}
		if elapsed > long+answerDeadline {
			return errors.New("answers are missing")
		}
		n, err := r.wait(events, elapsed)
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			if err := r.receive(r.connections[e.Fd]); err != nil {
				return err
			}
		}
	}
}

// send makes the requests that are due and have a connection.
func (r *run) send(elapsed time.Duration) error {
	for len(r.idle) > 0 {
		due := elapsed
		if r.Rate > 0 {
			if due = r.due(); due > elapsed {
				return nil
			}
		}
		c := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		c.due = r.started.Add(due)
		if err := c.write(r.Request(c.number)); err != nil {
			return err
		}
		r.sent++
		r.busy++
	}
	return nil
}

// due is when the next request is to be sent, after the start.
func (r *run) due() time.Duration {
	return time.Duration(float64(r.sent) / r.Rate * float64(time.Second))
}

// wait returns when there are answers, or the next request is due.
func (r *run) wait(events []unix.EpollEvent, elapsed time.Duration) (int, error) {
	timeout := time.Second
	switch {
	case r.Pinned:
		timeout = 0
	case r.Rate > 0:
		if len(r.idle) > 0 {
			timeout = max(r.due()-elapsed, 0)
		}
		// In nanoseconds, as epoll's own timeout is not.
		ready := []unix.PollFd{{Fd: int32(r.poll), Events: unix.POLLIN}}
		limit := unix.NsecToTimespec(timeout.Nanoseconds())
		if _, err := unix.Ppoll(ready, &limit, nil); err != nil && err != unix.EINTR {
			return 0, err
		}
		timeout = 0
	}
	n, err := unix.EpollWait(r.poll, events, int(timeout.Milliseconds()))
	if err == unix.EINTR {
		return 0, nil
	}
	return n, err
}

func (r *run) receive(c *connection) error {
	status, err := c.read()
	if err != nil || status == 0 {
		return err
	}
	if status != r.Status {
		return fmt.Errorf("answered %d, not %d: %s", status, r.Status, c.answer())
	}
	now := time.Now()
	r.result.Requests++
	r.result.Elapsed = now.Sub(r.started)
	r.result.Latencies.Record(now.Sub(c.due))
	r.busy--
	r.idle = append(r.idle, c)
	return nil
}
