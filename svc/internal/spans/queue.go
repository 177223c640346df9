package spans

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A Client sends spans to a receiver. otlptrace.Client is one; it retries by
// itself, and no longer needs what it was given once it has returned.
type Client interface {
	UploadTraces(context.Context, []*tracepb.ResourceSpans) error
	Stop(context.Context) error
}

// Limits are how much a [Queue] keeps, and for how long. All are positive.
type Limits struct {
	Queue   int           // spans that wait at most, those that are being sent not among them
	Batch   int           // spans that are sent at a time
	Delay   time.Duration // until a batch is sent that is not full
	Timeout time.Duration // of sending one batch
}

// A Queue sends the spans of one process, batch after batch. Its methods may be
// called concurrently.
type Queue struct {
	client   Client
	trouble  func(error)
	limits   Limits
	resource encoder       // the header of all ResourceSpans
	wake     chan struct{} // a batch is full
	sending  chan struct{} // holds one token while a batch is sent
	ctx      context.Context
	cancel   context.CancelFunc

	mu      sync.Mutex
	scopes  map[instrumentation.Scope]*Scope
	open    *batch   // takes spans; nil when none have come
	full    []*batch // wait, the oldest first
	waiting int      // spans in both
	dropped int      // spans since it was last told
	stopped bool

	spare sync.Pool // of *batch
}

// NewQueue returns a queue of a process that is described by res. It works until
// Shutdown, which also stops client. That sending failed or spans were dropped is
// told to trouble.
func NewQueue(client Client, res *resource.Resource, l Limits, trouble func(error)) *Queue {
	l.Batch = min(l.Batch, l.Queue)
	q := &Queue{
		client: client, trouble: trouble, limits: l, wake: make(chan struct{}, 1), sending: make(chan struct{}, 1),
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

// A batch is spans that are sent together, the bytes of each scope's apart.
type batch struct {
	parts []part
	spans int
}

// A part is the bytes of ScopeSpans.
type part struct {
	scope *Scope
	bytes encoder
}

// of returns the bytes that the scope's spans are appended to.
func (b *batch) of(s *Scope) *encoder {
	for i := range b.parts {
		if b.parts[i].scope == s {
			return &b.parts[i].bytes
		}
	}
	b.parts = append(b.parts, part{s, append(encoder(nil), s.header...)})
	return &b.parts[len(b.parts)-1].bytes
}

func (q *Queue) add(s *Scope, span *Span) {
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
	q.open.of(s).span(span)
	q.open.spans++
	q.waiting++
	if q.open.spans >= q.limits.Batch {
		q.close()
		select {
		case q.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// close lets the open batch be sent. The caller holds the lock.
func (q *Queue) close() {
	if q.open != nil {
		q.full = append(q.full, q.open)
		q.open = nil
	}
}

// work sends what is full, and at least each Delay what there is.
func (q *Queue) work() {
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

// ForceFlush sends all spans that have been added, unless ctx ends before, which
// is its only error.
func (q *Queue) ForceFlush(ctx context.Context) error {
	q.mu.Lock()
	q.close()
	q.mu.Unlock()
	return q.send(ctx)
}

// Shutdown sends all spans that have been added, unless ctx ends before, and
// stops. A second one does nothing.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.mu.Lock()
	before := q.stopped
	q.stopped = true
	q.mu.Unlock()
	if before {
		return nil
	}
	defer q.cancel()
	err := q.ForceFlush(ctx)
	return errors.Join(err, q.client.Stop(ctx)) // by ctx's end it breaks off what is under way
}

// send sends what is full, until ctx ends. When it returns nil, others have come
// to an end as well with what they had begun to send.
func (q *Queue) send(ctx context.Context) error {
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
func (q *Queue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.full) == 0 {
		return nil
	}
	b := q.full[0]
	q.full = q.full[1:]
	q.waiting -= b.spans
	return b
}

func (q *Queue) tellLoss() {
	q.mu.Lock()
	n := q.dropped
	q.dropped = 0
	q.mu.Unlock()
	if n > 0 {
		q.trouble(fmt.Errorf("%d spans dropped: the queue of %d was full", n, q.limits.Queue))
	}
}

func (q *Queue) upload(ctx context.Context, b *batch) {
	ctx, cancel := context.WithTimeoutCause(ctx, q.limits.Timeout, errors.New("OTEL_BSP_EXPORT_TIMEOUT"))
	defer cancel()
	err := q.client.UploadTraces(ctx, []*tracepb.ResourceSpans{q.message(b)})
	if err != nil {
		q.trouble(fmt.Errorf("traces export: %w", err))
	}
	b.clear()
	q.spare.Put(b)
}

// message makes b what a client takes. To the code that encodes messages, bytes
// of fields that it does not know are to be copied as they are.
func (q *Queue) message(b *batch) *tracepb.ResourceSpans {
	all := &tracepb.ResourceSpans{}
	all.ProtoReflect().SetUnknown([]byte(q.resource))
	for _, p := range b.parts {
		if len(p.bytes) == len(p.scope.header) {
			continue
		}
		of := &tracepb.ScopeSpans{}
		of.ProtoReflect().SetUnknown([]byte(p.bytes))
		all.ScopeSpans = append(all.ScopeSpans, of)
	}
	return all
}

// clear makes room, and keeps it.
func (b *batch) clear() {
	for i := range b.parts {
		p := &b.parts[i]
		p.bytes = p.bytes[:len(p.scope.header)]
	}
	b.spans = 0
}
