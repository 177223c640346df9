// Package watch follows the changes of a store and hands them to any number of
// watchers. An event is encoded once, however many watch; a watcher is a cursor
// into the latest events, so it has no queue of its own, and one that is slow
// holds up nobody.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"configservice/svc/internal/conf"
)

// A Source is what a [conf.Store] offers to those who follow it.
type Source interface {
	Changes(ctx context.Context, after int64, limit int) ([]conf.Transaction, error)
	Stats(ctx context.Context) (conf.Stats, error)
}

// Options tell how a feed follows its source, which is required.
type Options struct {
	Source Source

	// Listen calls changed whenever another process may have committed, until
	// ctx is over. Nil means that there is nobody to tell.
	Listen func(ctx context.Context, changed func())

	// Apply is told of each transaction, in order, before those who watch and
	// those who wait for its revision. Reset is told likewise that some
	// transactions are missing. Nil means nobody. Neither must block.
	Apply func(conf.Transaction)
	Reset func()

	// Poll is how often the source is asked whether something was missed; 0
	// means DefaultPoll.
	Poll time.Duration

	// Memory bounds the latest events that are kept, in bytes; 0 means
	// DefaultMemory. A watcher that falls behind further is cut off.
	Memory int

	// MaxWatchers bounds the watchers; 0 means DefaultMaxWatchers.
	MaxWatchers int

	// Logger learns when the source cannot be followed; nil means
	// slog.Default.
	Logger *slog.Logger
}

// What the zero Options mean.
const (
	DefaultPoll        = time.Second
	DefaultMemory      = 16 << 20
	DefaultMaxWatchers = 20000
)

const (
	followBatch  = 32 // transactions that one look at the source takes
	catchUpBatch = 8  // less, because each watcher of the past holds its own
	catchUps     = 4  // watchers that read the past at the same time
)

// What a watch ends with.
var (
	ErrSlow    = errors.New("the watcher has fallen behind further than events are kept")
	ErrStopped = errors.New("the feed is stopped")
	ErrFull    = errors.New("there are as many watchers as are allowed")
)

// A Feed follows a source. It is safe for concurrent use.
type Feed struct {
	Options
	wake     chan struct{} // holds one wish to look at the source
	handed   handed
	past     chan struct{} // a slot for each watcher that reads the past
	stopping chan struct{} // closed by Stop
	drained  chan struct{} // closed when nobody watches after that
	began    time.Time
	encoded  atomic.Int64 // events
	current  atomic.Int64 // when the source was last known to have no more, in Unix nanoseconds
	failing  bool         // of the goroutine that follows

	mu       sync.RWMutex
	stopped  bool
	watchers int
	applied  int64 // the revision up to which the ring has got everything
	ring     ring
	topics   map[string]*topic

	due                   []*Watcher // whom couriers are to visit, in this order
	couriers, maxCouriers int        // under way
	reminders             map[reminder][]*Watcher
}

// everything is the key of those who watch all.
const everything = ""

// A topic wakes those who watch the same key.
type topic struct {
	changed chan struct{} // closed at the next event
	parked  []*Watcher    // to be visited at the next event
	latest  uint64        // the position after its last event
	evicted uint64        // the position after the last of its events that are gone
	watched int
}

// New returns a feed of what happens to the source from now on. It fails when
// the source does not answer.
func New(ctx context.Context, o Options) (*Feed, error) {
	o.Poll = cmp.Or(o.Poll, DefaultPoll)
	o.Memory = cmp.Or(o.Memory, DefaultMemory)
	o.MaxWatchers = cmp.Or(o.MaxWatchers, DefaultMaxWatchers)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Apply == nil {
		o.Apply = func(conf.Transaction) {}
	}
	if o.Reset == nil {
		o.Reset = func() {}
	}
	now := time.Now()
	stats, err := o.Source.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	f := &Feed{
		Options: o, began: now, wake: make(chan struct{}, 1), handed: handed{some: make(chan struct{}, 1)}, past: make(chan struct{}, catchUps), stopping: make(chan struct{}), drained: make(chan struct{}),
		applied: stats.Revision, ring: ring{limit: o.Memory, floor: stats.Revision},
		topics: map[string]*topic{}, maxCouriers: runtime.GOMAXPROCS(0), reminders: map[reminder][]*Watcher{},
	}
	f.topic(everything).watched++ // it stays
	f.current.Store(now.UnixNano())
	return f, nil
}

// Run follows the source until ctx is over.
func (f *Feed) Run(ctx context.Context) {
	var listener sync.WaitGroup
	defer listener.Wait()
	if f.Listen != nil {
		listener.Go(func() { f.Listen(ctx, f.Wake) })
	}
	poll := time.NewTicker(f.Poll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			f.report(ctx, f.follow(ctx))
		case <-f.handed.some:
			f.report(ctx, f.take(ctx))
		case <-poll.C:
			f.report(ctx, f.verify(ctx))
		}
	}
}

// Wake makes the feed look at the source soon. It never blocks.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default: // a look that has not begun yet will do
	}
}

// Stop ends every watch, also those to come, with [ErrStopped].
func (f *Feed) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	f.stopped = true
	close(f.stopping)
	for _, t := range f.topics {
		f.unparkAll(t)
	}
	f.dispatch()
	if f.watchers == 0 {
		close(f.drained)
	}
}

// Drain returns when every watcher has been closed after Stop, or with ctx's
// error.
func (f *Feed) Drain(ctx context.Context) error {
	select {
	case <-f.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Applied returns the revision up to which the feed has every change.
func (f *Feed) Applied() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.applied
}

// Staleness returns how long ago the feed last knew that it had every change.
func (f *Feed) Staleness() time.Duration {
	return time.Since(time.Unix(0, f.current.Load()))
}

// WaitFor returns when the feed has every change up to revision, or with ctx's
// error.
func (f *Feed) WaitFor(ctx context.Context, revision int64) error {
	for woken := false; ; woken = true {
		f.mu.RLock()
		applied, changed := f.applied, f.topics[everything].changed
		f.mu.RUnlock()
		if applied >= revision {
			return nil
		}
		if !woken {
			f.Wake()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow takes the changes that the source has by now.
func (f *Feed) follow(ctx context.Context) error {
	for {
		now := time.Now()
		txs, err := f.Source.Changes(ctx, f.Applied(), followBatch)
		if conf.CodeOf(err) == conf.Compacted {
			return f.jump(ctx)
		}
		if err != nil {
			return err
		}
		f.publish(txs)
		if len(txs) < followBatch {
			f.current.Store(now.UnixNano())
			return nil
		}
	}
}

// verify repairs what follow cannot see: that nobody called Wake, and that the
// source has been replaced by one with another history.
func (f *Feed) verify(ctx context.Context) error {
	now := time.Now()
	stats, err := f.Source.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Revision > f.Applied() {
		if err := f.follow(ctx); err != nil {
			return err
		}
	}
	if applied := f.Applied(); applied < stats.Revision || stats.Revision < applied && f.wentBack(ctx, applied) {
		return f.jump(ctx)
	}
	f.current.Store(now.UnixNano())
	return nil
}

// wentBack asks again: applied may be younger than the answer that it was
// compared with.
func (f *Feed) wentBack(ctx context.Context, applied int64) bool {
	stats, err := f.Source.Stats(ctx)
	return err == nil && stats.Revision < applied
}

// jump goes on from where the source is and tells all watchers to resync.
func (f *Feed) jump(ctx context.Context) error {
	stats, err := f.Source.Stats(ctx)
	if err != nil {
		return err
	}
	f.Logger.WarnContext(ctx, "changes are missing from the history; watchers are told to resync",
		"applied", f.Applied(), "revision", stats.Revision)
	f.handed.take() // it was of another history
	f.Reset()
	f.mu.Lock()
	f.ring.restart(stats.Revision)
	f.applied = stats.Revision
	var woken []chan struct{}
	for _, t := range f.topics {
		woken = append(woken, t.renew())
		f.unparkAll(t)
	}
	f.dispatch()
	f.mu.Unlock()
	wakeAll(woken)
	return nil
}

// publish makes events of txs and wakes those who wait for them.
func (f *Feed) publish(txs []conf.Transaction) {
	for _, tx := range txs {
		e := f.event(tx)
		e.Committed = committed(tx)
		f.Apply(tx)
		f.mu.Lock()
		woken := f.push(e)
		f.applied = e.Revision
		f.mu.Unlock()
		// Not under the lock, which all that wake up want.
		wakeAll(woken)
	}
}

// push adds e to the ring, makes the visits of parked watchers due, and returns
// what the others who wait for it wait for. The caller has the lock.
func (f *Feed) push(e *Event) (woken []chan struct{}) {
	f.ring.push(e, f.evicted)
	f.concerned(e, func(t *topic) {
		t.latest = f.ring.end()
		woken = append(woken, t.renew())
		f.unparkAll(t)
	})
	f.dispatch()
	return woken
}

// renew returns what those who wait now wait for; who comes later does not.
func (t *topic) renew() chan struct{} {
	old := t.changed
	t.changed = make(chan struct{})
	return old
}

func wakeAll(woken []chan struct{}) {
	for _, c := range woken {
		close(c)
	}
}

// evicted notes for whom it matters that e is gone.
func (f *Feed) evicted(e *Event) {
	f.concerned(e, func(t *topic) { t.evicted = f.ring.first })
}

// concerned calls fn for the topics that e concerns.
func (f *Feed) concerned(e *Event, fn func(*topic)) {
	fn(f.topics[everything])
	if t, ok := f.topics[e.ApplicationID]; ok {
		fn(t)
	}
	for _, id := range e.configurations {
		if t, ok := f.topics[id]; ok {
			fn(t)
		}
	}
}

// topic returns the topic of key. The caller has the lock.
func (f *Feed) topic(key string) *topic {
	t, ok := f.topics[key]
	if !ok {
		t = &topic{changed: make(chan struct{})}
		f.topics[key] = t
	}
	return t
}

// report logs when the source can no longer be followed, and when it can again.
func (f *Feed) report(ctx context.Context, err error) {
	if failing := err != nil; failing != f.failing && ctx.Err() == nil {
		f.failing = failing
		if failing {
			f.Logger.ErrorContext(ctx, "changes of the store cannot be followed", "error", err)
		} else {
			f.Logger.InfoContext(ctx, "changes of the store are followed again")
		}
	}
}
