package watch

import (
	"context"
	"time"
)

// A Visit is a courier's call at a parked watcher. It gets what [Watcher.Next]
// would return: the events that come next, or none after an idle time, or an
// error that ends the watch, among them [context.Canceled] after
// [Watcher.Leave].
//
// A visit must not wait for anything, since others are to be visited after it,
// and must not panic. It reports whether the watcher stays parked, and then
// after how long an idle time it is to be visited again at the latest.
// Otherwise the watcher is the caller's own again.
type Visit func(events []*Event, err error) (idle time.Duration, stay bool)

// A round is how many watchers a courier visits before it looks for more: many
// share one hold of the feed's lock, and few wait until they are parked again.
const round = 64

// A call is a visit that is due.
type call struct {
	watcher *Watcher
	events  []*Event
	err     error
	idle    time.Duration // when it stays
	stays   bool
}

// Park leaves a watcher that has nothing to do to the couriers: a few
// goroutines that come into being when something happens and visit all whom it
// concerns. So a watcher that waits needs no goroutine of its own, and what
// happens wakes no more goroutines than there are processors.
//
// Park reports false, and does nothing, for a watcher that still reads the past.
// Else the watcher belongs to its visits, of which the first may come before
// Park returns, until one of them does not let it stay.
func (w *Watcher) Park(idle time.Duration, visit Visit) bool {
	f := w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if !w.joined {
		return false
	}
	w.visit = visit
	f.remind(w, time.Now(), idle)
	f.park(w)
	f.dispatch()
	return true
}

// Leave has a parked watcher visited with [context.Canceled], and one that is
// not parked as soon as it is. Unlike everything else it may be called at any
// time, also after Close.
func (w *Watcher) Leave() {
	f := w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	w.left = true
	f.unpark(w)
	f.dispatch()
}

// park puts w where its next visit comes from. The caller has the lock, and
// dispatches.
func (f *Feed) park(w *Watcher) {
	if w.left || f.stopped || w.position < w.topic.latest || w.position < f.ring.reset {
		f.due = append(f.due, w)
		return
	}
	w.place = len(w.topic.parked)
	w.topic.parked = append(w.topic.parked, w)
}

// unpark makes the visit of a parked watcher due. It reports false when w is
// not parked: its visit is due or under way, or it is nobody to visit. The
// caller has the lock, and dispatches.
func (f *Feed) unpark(w *Watcher) bool {
	parked := w.topic.parked
	if w.place >= len(parked) || parked[w.place] != w {
		return false
	}
	w.topic.parked = without(parked, w.place, func(w *Watcher) *int { return &w.place })
	f.due = append(f.due, w)
	return true
}

// unparkAll makes the visits of all who are parked at t due, like unpark.
func (f *Feed) unparkAll(t *topic) {
	f.due = append(f.due, t.parked...)
	clear(t.parked)
	t.parked = t.parked[:0]
}

// dispatch calls a courier where one has work and none too many are under way.
// The caller has the lock.
func (f *Feed) dispatch() {
	if len(f.due) > 0 && f.couriers < f.maxCouriers {
		f.couriers++
		go f.courier()
	}
}

// courier visits until no visit is due.
func (f *Feed) courier() {
	var calls [round]call
	for n := f.turn(calls[:0]); n > 0; n = f.turn(calls[:n]) {
		for i := range calls[:n] {
			c := &calls[i]
			c.idle, c.stays = c.watcher.visit(c.events, c.err)
		}
	}
}

// turn ends a courier's round: it parks again those who stay, and fills the
// next. A courier that leaves work behind calls another.
func (f *Feed) turn(calls []call) (next int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, c := range calls {
		if c.stays {
			clear(c.watcher.batch[:])
			f.remind(c.watcher, now, c.idle)
			f.park(c.watcher)
		}
	}
	calls = calls[:0]
	for len(calls) < round && len(f.due) > 0 {
		w := f.due[0]
		f.due[0], f.due = nil, f.due[1:]
		events, err := w.news()
		if len(events) == 0 && err == nil && !w.idle { // others have been told why
			f.park(w)
			continue
		}
		w.idle = false
		calls = append(calls, call{watcher: w, events: events, err: err})
	}
	if len(calls) == 0 {
		f.couriers--
		f.due = nil
	}
	f.dispatch()
	return len(calls)
}

// news returns what there is for a watcher that is due. The caller has the lock.
func (w *Watcher) news() ([]*Event, error) {
	if w.left {
		return nil, context.Canceled
	}
	events, err := w.taken()
	if len(events) == 0 && err == nil && w.feed.stopped {
		err = ErrStopped
	}
	return events, err
}
