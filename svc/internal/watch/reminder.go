package watch

import (
	"math/bits"
	"time"
)

// A reminder is a moment, as the time since its feed began, at which watchers
// may have been idle for long enough. Those for whom it comes at about the same
// time share one, and with it a timer. An event moves nobody to another one:
// who is reminded early is moved then. So neither a watcher nor an event costs
// a timer.
type reminder time.Duration

// remindersPerIdle is how many reminders there are in an idle time, or more; no
// watcher is reminded earlier than that part of it.
const remindersPerIdle = 16

// after returns the reminder for an idle time that begins now.
func (f *Feed) after(now time.Time, idle time.Duration) reminder {
	step := time.Duration(1) << max(0, bits.Len64(uint64(idle/remindersPerIdle))-1)
	return reminder((now.Sub(f.began) + idle) &^ (step - 1))
}

// remind has a watcher visited at the end of an idle time that begins now. The
// caller has the lock.
func (f *Feed) remind(w *Watcher, now time.Time, idle time.Duration) {
	w.due = f.after(now, idle)
	if w.listed == 0 {
		f.list(w)
	}
}

// list adds a watcher to those whom the reminder that is due concerns.
func (f *Feed) list(w *Watcher) {
	all, ok := f.reminders[w.due]
	if !ok {
		r := w.due
		time.AfterFunc(time.Duration(r)-time.Since(f.began), func() { f.fire(r) })
	}
	w.listed, w.line = w.due, len(all)
	f.reminders[w.due] = append(all, w)
}

// unlist is for a watcher that ends.
func (f *Feed) unlist(w *Watcher) {
	if w.listed != 0 {
		f.reminders[w.listed] = without(f.reminders[w.listed], w.line, func(w *Watcher) *int { return &w.line })
		w.listed = 0
	}
}

// fire makes the visits due for which r is the time.
func (f *Feed) fire(r reminder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.reminders[r]
	delete(f.reminders, r)
	for _, w := range all {
		if w.listed = 0; w.due > r {
			f.list(w)
			continue
		}
		w.idle = f.unpark(w)
	}
	f.dispatch()
}

// without returns a list less what is at i, whose place the last one takes.
// Each keeps its place where place says.
func without(list []*Watcher, i int, place func(*Watcher) *int) []*Watcher {
	last := len(list) - 1
	list[i] = list[last]
	*place(list[i]) = i
	list[last] = nil
	return list[:last]
}
