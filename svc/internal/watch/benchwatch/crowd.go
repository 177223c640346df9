package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A crowd is many watchers. They are raw connections that look for the ids of
// changes and for nothing else: clients and service share the machine, so what
// a client costs makes the service look slower.
type crowd struct {
	watchers []watcher
	received atomic.Int64
	lost     chan error // the first connection that ended
	gone     sync.WaitGroup
}

type watcher struct {
	conn     net.Conn
	arrivals []arrival
}

type arrival struct {
	revision int64
	at       time.Time
}

// gather connects all watchers, some at a time.
func gather(ctx context.Context, address string, n, changes int) (*crowd, error) {
	c := &crowd{watchers: make([]watcher, n), lost: make(chan error, 1)}
	slots := make(chan struct{}, 64)
	failed := make(chan error, n)
	for i := range c.watchers {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			failed <- c.join(ctx, &c.watchers[i], address, changes)
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// join returns when the watcher has its first bookmark.
func (c *crowd) join(ctx context.Context, w *watcher, address string, changes int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	w.conn, w.arrivals = conn, make([]arrival, 0, changes)
	if _, err := io.WriteString(conn, "GET /api/v1/watch HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
		return err
	}
	var head []byte
	buffer := make([]byte, 1024)
	for !bytes.Contains(head, []byte("event: bookmark")) {
		n, err := conn.Read(buffer)
		if head = append(head, buffer[:n]...); err != nil {
			return fmt.Errorf("no watch: %w: %s", err, head)
		}
	}
	c.gone.Go(func() { c.watch(w, buffer) })
	return nil
}

// watch notes when changes arrive. Events are smaller than the buffer, and
// come one at a time because changes are further apart than deliveries take;
// were one missed, the count at the end would tell.
func (c *crowd) watch(w *watcher, buffer []byte) {
	for {
		n, err := w.conn.Read(buffer)
		if err != nil {
			select {
			case c.lost <- err:
			default:
			}
			return
		}
		now := time.Now()
		if revision, ok := changeID(buffer[:n]); ok {
			w.arrivals = append(w.arrivals, arrival{revision, now})
			c.received.Add(1)
		}
	}
}

// changeID returns the id of the change in b, if there is one.
func changeID(b []byte) (int64, bool) {
	i := bytes.Index(b, []byte("id: "))
	if i < 0 {
		return 0, false
	}
	id, rest, _ := bytes.Cut(b[i+4:], []byte("\n"))
	if !bytes.HasPrefix(rest, []byte("event: change")) {
		return 0, false
	}
	revision, err := strconv.ParseInt(string(id), 10, 64)
	return revision, err == nil
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
			return fmt.Errorf("a watcher was cut off: %w", err)
		case <-deadline:
			return fmt.Errorf("only %d of %d events arrived", c.received.Load(), want)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *crowd) close() {
	for _, w := range c.watchers {
		if w.conn != nil {
			w.conn.Close()
		}
	}
	c.gone.Wait()
}

// latencies returns, sorted, the times from commit to arrival.
func (c *crowd) latencies(commits map[int64]time.Time) []time.Duration {
	var all []time.Duration
	for _, w := range c.watchers {
		for _, a := range w.arrivals {
			all = append(all, a.at.Sub(commits[a.revision]))
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
