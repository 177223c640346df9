//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// A crowd is many watchers. They are bare sockets that one loop reads as they
// have something, which looks for the ids of changes and for nothing else.
//
// Clients and service share the machine here, and nowhere else. So the loop runs
// at the lowest priority, and a change counts as received when the kernel had it
// for the watcher, as it says itself; when the loop has read it is told beside.
type crowd struct {
	watchers []watcher
	ready    int // epoll(7)
	received atomic.Int64
	lost     chan error // why the loop has ended
}

type watcher struct {
	socket   int
	arrivals []arrival
}

type arrival struct {
	revision       int64
	received, read time.Time
}

// gather connects all watchers, some at a time.
func gather(address string, n, changes int) (*crowd, error) {
	server, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	ready, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &crowd{watchers: make([]watcher, n), ready: ready, lost: make(chan error, 1)}
	slots := make(chan struct{}, 64)
	joined := make(chan error, n)
	for i := range c.watchers {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			c.watchers[i].arrivals = make([]arrival, 0, changes)
			joined <- c.join(i, server)
		}()
	}
	for range n {
		if err := <-joined; err != nil {
			return nil, err
		}
	}
	go func() { c.lost <- c.watch() }()
	return c, nil
}

// join returns when the watcher has its first bookmark.
func (c *crowd) join(i int, server netip.AddrPort) error {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.watchers[i].socket = socket
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	if err := syscall.Connect(socket, &syscall.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())}); err != nil {
		return err
	}
	if _, err := syscall.Write(socket, []byte("GET /api/v1/watch HTTP/1.1\r\nHost: bench\r\n\r\n")); err != nil {
		return err
	}
	var head []byte
	buffer := make([]byte, 1024)
	for !bytes.Contains(head, []byte("event: bookmark")) {
		n, err := syscall.Read(socket, buffer)
		if head = append(head, buffer[:max(n, 0)]...); err != nil || n == 0 {
			return fmt.Errorf("no watch: %w: %s", cmp.Or(err, io.EOF), head)
		}
	}
	return syscall.EpollCtl(c.ready, syscall.EPOLL_CTL_ADD, socket, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)})
}

// watch notes when changes arrive, until a watcher is cut off. A loop that was
// not let run for long finds more than one, all of them whole; they count as
// received when the last of them was.
func (c *crowd) watch() error {
	if err := runWhenIdle(); err != nil {
		return err
	}
	var events [256]syscall.EpollEvent
	buffer := make([]byte, 64<<10)
	for {
		n, err := syscall.EpollWait(c.ready, events[:], -1)
		if err != nil && err != syscall.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			w := &c.watchers[e.Fd]
			n, received, err := receive(w.socket, buffer)
			if err != nil {
				return fmt.Errorf("a watcher was cut off: %w", err)
			}
			for _, revision := range changeIDs(buffer[:n]) {
				w.arrivals = append(w.arrivals, arrival{revision, received, time.Now()})
				c.received.Add(1)
			}
		}
	}
}

// runWhenIdle has the rest of this goroutine run when nothing else wants to, and
// never in place of what runs: as sched(7) says of SCHED_IDLE.
func runWhenIdle() error {
	runtime.LockOSThread()
	const idle = 5
	var priority int32
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, 0, idle, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return fmt.Errorf("sched_setscheduler: %w", errno)
	}
	return nil
}

// receive reads what a socket has, and when the kernel received the last of it.
func receive(socket int, buffer []byte) (n int, at time.Time, err error) {
	var control [64]byte
	n, _, _, _, err = syscall.Recvmsg(socket, buffer, control[:], 0)
	if err != nil || n == 0 {
		return 0, at, cmp.Or(err, io.EOF)
	}
	stamp := control[syscall.CmsgLen(0):] // a struct timespec, socket(7): SO_TIMESTAMPNS
	seconds, nanoseconds := binary.NativeEndian.Uint64(stamp), binary.NativeEndian.Uint64(stamp[8:])
	if seconds == 0 {
		return 0, at, errors.New("the kernel does not say when it received an event")
	}
	return n, time.Unix(int64(seconds), int64(nanoseconds)), nil
}

// changeIDs returns the ids of the changes in b, which begins with an event.
func changeIDs(b []byte) (ids []int64) {
	for {
		before, after, ok := bytes.Cut(b, []byte("\nevent: change\n"))
		if !ok {
			return ids
		}
		_, id, _ := bytes.Cut(before[bytes.LastIndexByte(before, '\n')+1:], []byte("id: "))
		if revision, err := strconv.ParseInt(string(id), 10, 64); err == nil {
			ids = append(ids, revision)
		}
		b = after
	}
}

// wait returns when every watcher has every change.
func (c *crowd) wait(ctx context.Context, changes int) error {
	want := int64(len(c.watchers) * changes)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for c.received.Load() < want {
		select {
		case <-tick.C:
		case err := <-c.lost:
			return err
		case <-deadline:
			return fmt.Errorf("only %d of %d events arrived", c.received.Load(), want)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// latencies returns, sorted, the times from commit to a moment of each arrival.
func (c *crowd) latencies(commits map[int64]time.Time, moment func(arrival) time.Time) []time.Duration {
	var all []time.Duration
	for _, w := range c.watchers {
		for _, a := range w.arrivals {
			all = append(all, moment(a).Sub(commits[a.revision]))
		}
	}
	slices.Sort(all)
	return all
}

// quantile returns that of sorted values.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	return values[int(q*float64(len(values)-1))].Round(10 * time.Microsecond)
}
