package watch

import (
	"context"
	"slices"
	"time"

	"configservice/svc/internal/conf"
)

// How much a watcher is handed at once: it keeps this alive however slowly it
// writes. One event may be larger.
const (
	batchEvents = 16
	batchBytes  = 64 << 10
)

// A Watcher gets the events that concern its key, in order, each once. It is
// not safe for concurrent use.
type Watcher struct {
	feed     *Feed
	key      string
	topic    *topic
	joined   bool   // it reads from the ring and no longer from the past
	position uint64 // of the next event in the ring; until it has joined, where that ended when it came
	revision int64  // everything that concerns it up to here was handed over
	batch    [batchEvents]*Event

	// What couriers know of it.
	visit  Visit
	place  int      // among the parked of its topic, while it is one of them
	due    reminder // when to visit it if nothing happens
	listed reminder // when to look at due next; 0: never
	line   int      // among those who are listed there
	idle   bool     // it is to be visited even if nothing has happened
	left   bool
}

// Watch starts a watcher of one application or one configuration, by its id,
// or of all changes when key is empty; from now on. Close ends it. Errors:
// ErrFull, ErrStopped.
func (f *Feed) Watch(key string) (*Watcher, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, ErrStopped
	}
	if f.watchers >= f.MaxWatchers {
		return nil, ErrFull
	}
	f.watchers++
	t := f.topic(key)
	t.watched++
	return &Watcher{feed: f, key: key, topic: t, joined: true, position: f.ring.end(), revision: f.applied}, nil
}

// Resume makes the watcher go on after a revision that is not after
// [Feed.Applied]. It comes before the first Next.
func (w *Watcher) Resume(after int64) {
	w.joined, w.revision = false, after
}

// Revision returns the revision up to which everything that concerns the
// watcher was handed over.
func (w *Watcher) Revision() int64 { return w.revision }

// Close ends the watch.
func (w *Watcher) Close() {
	f := w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchers--; f.watchers == 0 && f.stopped {
		close(f.drained)
	}
	if w.topic.watched--; w.topic.watched == 0 {
		delete(f.topics, w.key)
	}
	f.unlist(w)
}

// Next returns the events that come next, as soon as there is one, and none
// when idle fires first. They are valid until the next call. Errors: ErrSlow,
// ErrStopped, ctx's, and the source's while the watcher reads the past.
func (w *Watcher) Next(ctx context.Context, idle <-chan time.Time) ([]*Event, error) {
	clear(w.batch[:])
	if !w.joined {
		if events, err := w.catchUp(ctx); err != nil || len(events) > 0 {
			return events, err
		}
	}
	for {
		events, changed, err := w.take()
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-changed:
		case <-idle:
			events, _, err := w.take()
			return events, err
		case <-w.feed.stopping:
			return nil, ErrStopped
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns what the ring has for the watcher, or what to wait for.
func (w *Watcher) take() ([]*Event, <-chan struct{}, error) {
	w.feed.mu.RLock()
	defer w.feed.mu.RUnlock()
	events, err := w.taken()
	return events, w.topic.changed, err
}

// taken is what take returns, for who has the lock.
func (w *Watcher) taken() ([]*Event, error) {
	f := w.feed
	if w.position < f.ring.reset {
		return w.startAnew(), nil
	}
	if w.position < w.topic.evicted {
		return nil, ErrSlow
	}
	events, bytes := w.batch[:0], 0
	w.position = max(w.position, f.ring.first)
	for ; w.position < f.ring.end() && len(events) < batchEvents && bytes < batchBytes; w.position++ {
		e := f.ring.at(w.position)
		if w.revision = e.Revision; e.concerns(w.key) {
			events, bytes = append(events, e), bytes+e.size
		}
	}
	return events, nil
}

// catchUp reads the past until it has events, or none because the ring has
// the rest.
func (w *Watcher) catchUp(ctx context.Context) ([]*Event, error) {
	for !w.join() {
		txs, err := w.read(ctx)
		if conf.CodeOf(err) == conf.Compacted || err == nil && len(txs) == 0 {
			return w.resync(), nil
		}
		if err != nil {
			return nil, err
		}
		if events := w.events(txs); len(events) > 0 {
			return events, nil
		}
	}
	return nil, nil
}

// join moves the watcher to the ring, if that has everything from here on, or if
// the past that it reads was replaced, of which the ring tells.
func (w *Watcher) join() bool {
	f := w.feed
	f.mu.RLock()
	defer f.mu.RUnlock()
	if w.position < f.ring.reset {
		w.joined = true
	} else if position, ok := f.ring.after(w.revision); ok {
		w.position, w.joined = position, true
	}
	return w.joined
}

// read returns the next part of the past, and nothing that the feed has not got
// yet: who learns of a change here may read it there. Only some watchers read at
// a time, so that the return of all after a restart leaves the store to others.
func (w *Watcher) read(ctx context.Context) ([]conf.Transaction, error) {
	select {
	case w.feed.past <- struct{}{}:
		defer func() { <-w.feed.past }()
	case <-w.feed.stopping:
		return nil, ErrStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	txs, err := w.feed.Source.Changes(ctx, w.revision, catchUpBatch)
	applied := w.feed.Applied()
	return slices.DeleteFunc(txs, func(tx conf.Transaction) bool { return tx.Revision > applied }), err
}

func (w *Watcher) events(txs []conf.Transaction) []*Event {
	events := w.batch[:0]
	for _, tx := range txs {
		e := w.feed.event(tx)
		if w.revision = tx.Revision; e.concerns(w.key) {
			events = append(events, e)
		}
	}
	return events
}

// resync gives up on the past: the watcher goes on from now.
func (w *Watcher) resync() []*Event {
	w.feed.mu.RLock()
	defer w.feed.mu.RUnlock()
	return w.startAnew()
}

// startAnew is resync for who has the lock.
func (w *Watcher) startAnew() []*Event {
	w.joined, w.position, w.revision = true, w.feed.ring.end(), w.feed.applied
	return append(w.batch[:0], Progress(Resync, w.revision))
}
