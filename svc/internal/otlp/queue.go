package otlp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Limits are how much a queue keeps, and for how long. All are positive.
type Limits struct {
	Queue   int           // items that wait at most, those that are being sent not among them
	Batch   int           // items that are sent at a time
	Delay   time.Duration // until a batch is sent that is not full
	Timeout time.Duration // of sending one batch
}

// A signal is what queues of spans and of log records have apart.
type signal struct {
	name    string // of what is sent
	items   string // that it consists of
	timeout string // the variable that Limits.Timeout is from

	// upload sends scopes of the process that resource describes: the fields of
	// ResourceSpans or ResourceLogs and of their ScopeSpans or ScopeLogs, which
	// have the same numbers. It needs none of them once it has returned.
	upload func(ctx context.Context, resource []byte, scopes [][]byte) error
	stop   func(context.Context) error
}

// A queue sends the items of one process, batch after batch. Its methods may be
// called concurrently.
type queue struct {
	signal   signal
	trouble  func(error)
	limits   Limits
	resource encoder       // the header of what is sent
	wake     chan struct{} // a batch is full
	sending  chan struct{} // holds one token while a batch is sent
	ctx      context.Context
	cancel   context.CancelFunc

	mu      sync.Mutex
	scopes  map[instrumentation.Scope]*Scope
	open    *batch   // takes items; nil when none have come
	full    []*batch // wait, the oldest first
	waiting int      // items in both
	dropped int      // items since it was last told
	stopped bool

	spare sync.Pool // of *batch
}

// newQueue returns a queue of a process that is described by res. It works until
// Shutdown, which also stops the signal. That sending failed or items were
// dropped is told to trouble.
func newQueue(s signal, res *resource.Resource, l Limits, trouble func(error)) *queue {
	l.Batch = min(l.Batch, l.Queue)
	q := &queue{
		signal: s, trouble: trouble, limits: l, wake: make(chan struct{}, 1), sending: make(chan struct{}, 1),
		scopes: map[instrumentation.Scope]*Scope{}, spare: sync.Pool{New: func() any { return new(batch) }},
	}
	start := q.resource.begin(1)
	q.resource.attributes(1, res.Attributes())
	q.resource.end(start)
	q.resource.text(3, res.SchemaURL())
	q.ctx, q.cancel = context.WithCancel(context.Background())
	go q.work()
	return q
}

// A Scope is where spans or log records come from: an instrumentation scope.
type Scope struct {
	queue  *queue
	header encoder // of its ScopeSpans or ScopeLogs, before the items
}

// scope takes a lock: callers keep what they will need again.
func (q *queue) scope(is instrumentation.Scope) *Scope {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s, ok := q.scopes[is]; ok {
		return s
	}
	s := &Scope{queue: q}
	if is != (instrumentation.Scope{}) {
		start := s.header.begin(1)
		s.header.text(1, is.Name)
		s.header.text(2, is.Version)
		s.header.attributes(3, is.Attributes.ToSlice())
		s.header.end(start)
	}
	s.header.text(3, is.SchemaURL)
	q.scopes[is] = s
	return s
}

// A batch is items that are sent together, the bytes of each scope's apart.
type batch struct {
	parts []part
	items int
}

// A part is the bytes of ScopeSpans or ScopeLogs.
type part struct {
	scope *Scope
	bytes encoder
}

// of returns the bytes that the scope's items are appended to.
func (b *batch) of(s *Scope) *encoder {
	for i := range b.parts {
		if b.parts[i].scope == s {
			return &b.parts[i].bytes
		}
	}
	b.parts = append(b.parts, part{s, append(encoder(nil), s.header...)})
	return &b.parts[len(b.parts)-1].bytes
}

// put queues the item that encode appends, under the queue's lock. It never waits
// for a receiver: when the queue is full or stopped, the item is dropped.
func (s *Scope) put(encode func(*encoder)) {
	q := s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	if q.waiting >= q.limits.Queue {
		q.dropped++
		return
	}
	if q.open == nil {
		q.open = q.spare.Get().(*batch)
	}
	encode(q.open.of(s))
	q.open.items++
	q.waiting++
	if q.open.items >= q.limits.Batch {
		q.close()
		select {
		case q.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// close lets the open batch be sent. The caller holds the lock.
func (q *queue) close() {
	if q.open != nil {
		q.full = append(q.full, q.open)
		q.open = nil
	}
}

// work sends what is full, and at least each Delay what there is.
func (q *queue) work() {
	due := time.NewTicker(q.limits.Delay)
	defer due.Stop()
	for {
		select {
		case <-q.ctx.Done():
			return
		case <-q.wake:
		case <-due.C:
			q.mu.Lock()
			q.close()
			q.mu.Unlock()
		}
		_ = q.send(q.ctx) // it only fails when all is over
	}
}

// ForceFlush sends everything that has been added, unless ctx ends before, which
// is its only error.
func (q *queue) ForceFlush(ctx context.Context) error {
	q.mu.Lock()
	q.close()
	q.mu.Unlock()
	return q.send(ctx)
}

// Shutdown sends everything that has been added, unless ctx ends before, and
// stops. A second one does nothing.
func (q *queue) Shutdown(ctx context.Context) error {
	q.mu.Lock()
	before := q.stopped
	q.stopped = true
	q.mu.Unlock()
	if before {
		return nil
	}
	err := q.ForceFlush(ctx)
	q.cancel() // breaks off what is under way, for which a client may wait before it stops
	return errors.Join(err, q.signal.stop(ctx))
}

// send sends what is full, until ctx ends. When it returns nil, others have come
// to an end as well with what they had begun to send.
func (q *queue) send(ctx context.Context) error {
	select {
	case q.sending <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-q.sending }()
	for ctx.Err() == nil {
		b := q.next()
		if b == nil {
			return nil
		}
		q.upload(ctx, b)
		q.tellLoss()
	}
	return ctx.Err()
}

// next takes the batch that has waited longest.
func (q *queue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.full) == 0 {
		return nil
	}
	b := q.full[0]
	q.full = q.full[1:]
	q.waiting -= b.items
	return b
}

func (q *queue) tellLoss() {
	q.mu.Lock()
	n := q.dropped
	q.dropped = 0
	q.mu.Unlock()
	if n > 0 {
		q.trouble(fmt.Errorf("%d %s dropped: the queue of %d was full", n, q.signal.items, q.limits.Queue))
	}
}

func (q *queue) upload(ctx context.Context, b *batch) {
	ctx, cancel := context.WithTimeoutCause(ctx, q.limits.Timeout, errors.New(q.signal.timeout))
	defer cancel()
	if err := q.signal.upload(ctx, q.resource, b.scopes()); err != nil {
		q.trouble(fmt.Errorf("%s export: %w", q.signal.name, err))
	}
	b.clear()
	q.spare.Put(b)
}

// scopes returns the bytes of each scope that has items.
func (b *batch) scopes() (all [][]byte) {
	for _, p := range b.parts {
		if len(p.bytes) > len(p.scope.header) {
			all = append(all, p.bytes)
		}
	}
	return all
}

// clear makes room, and keeps it.
func (b *batch) clear() {
	for i := range b.parts {
		p := &b.parts[i]
		p.bytes = p.bytes[:len(p.scope.header)]
	}
	b.items = 0
}
