package watch

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A visited watcher notes what its visits get, as "kind revision" or an error,
// and leaves after an error.
type visited struct {
	*Watcher
	got chan string
}

// park joins and parks a watcher; what is not nil comes before each note.
func park(t *testing.T, f *Feed, key string, idle time.Duration, before func()) visited {
	t.Helper()
	w, err := f.Watch(key)
	if err != nil {
		t.Fatal(err)
	}
	v := visited{w, make(chan string, 100)}
	if !w.Park(idle, func(events []*Event, err error) (time.Duration, bool) {
		if before != nil {
			before()
		}
		if err != nil {
			w.Close()
			v.got <- err.Error()
			return 0, false
		}
		if len(events) == 0 {
			v.got <- fmt.Sprint("idle at ", w.Revision())
		}
		for _, e := range events {
			v.got <- fmt.Sprint(e.Kind, " ", e.Revision)
		}
		return idle, true
	}) {
		t.Fatal("a watcher of the present cannot be parked")
	}
	return v
}

func (v visited) want(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-v.got:
			if got != w {
				t.Errorf("a visit brought %q, want %q", got, w)
			}
		case <-time.After(timeout):
			t.Fatalf("no visit comes with %q", w)
		}
	}
}

func TestParkedWatcherMissesRepeatsOrSwapsAnEvent(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	const watchers, changes = 500, 300
	var seen [watchers][]int64
	var all sync.WaitGroup
	for i := range watchers {
		all.Add(1)
		w, err := f.Watch([]string{"", "a", "a/flags"}[i%3])
		if err != nil {
			t.Fatal(err)
		}
		w.Park(time.Hour, func(events []*Event, err error) (time.Duration, bool) {
			for _, e := range events {
				seen[i] = append(seen[i], e.Revision)
			}
			if len(seen[i]) < changes && err == nil {
				return time.Hour, true
			}
			w.Close()
			all.Done()
			return 0, false
		})
	}
	for range changes { // some find couriers under way, some find none
		s.commit("a", "b")
		f.Wake()
		runtime.Gosched()
	}
	got := make(chan struct{})
	go func() { all.Wait(); close(got) }()
	select {
	case <-got:
	case <-time.After(timeout):
		t.Fatal("some do not get all events")
	}
	for i := range seen {
		step := 1 + min(i%3, 1) // who watches all sees those of b as well
		for n, revision := range seen[i][:changes] {
			if revision != int64(n*step+1) {
				t.Fatalf("watcher %d saw %v", i, seen[i])
			}
		}
	}
}

func TestEventBetweenAVisitAndTheParkingIsLost(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	entered, release := make(chan struct{}, 2), make(chan struct{})
	v := park(t, f, "", time.Hour, func() { entered <- struct{}{}; <-release })
	s.commit("a")
	f.Wake()
	<-entered
	s.commit("a") // while the visit is under way
	f.Wake()
	applied(t, f, 2)
	close(release)
	v.want(t, "change 1", "change 2")
}

// The time of these two is a fake, so it is exact.
func TestIdleWatcherIsVisitedLateOrNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		f := follow(t, Options{Source: s, Poll: time.Hour})
		const idle = 10 * time.Second
		mine, other := park(t, f, "mine", idle, nil), park(t, f, "", time.Hour, nil)
		for n := range 5 {
			began := time.Now()
			mine.want(t, fmt.Sprint("idle at ", n)) // how current it is, though nothing concerned it
			if took := time.Since(began); took > idle || took < idle-idle/remindersPerIdle {
				t.Errorf("it was told after %s of %s", took, idle)
			}
			s.commit("other")
			f.Wake()
			other.want(t, fmt.Sprint("change ", n+1))
		}
		f.Stop()
		mine.want(t, ErrStopped.Error())
		other.want(t, ErrStopped.Error())
	})
}

func TestWatcherThatIsNotIdleIsCalledIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		f := follow(t, Options{Source: s, Poll: time.Hour})
		const idle = 10 * time.Second
		v := park(t, f, "", idle, nil)
		for n := range 50 {
			time.Sleep(idle / 3)
			s.commit("a")
			f.Wake()
			v.want(t, fmt.Sprint("change ", n+1))
		}
		began := time.Now()
		v.want(t, "idle at 50")
		if took := time.Since(began); took > idle || took < idle-idle/remindersPerIdle {
			t.Errorf("it was told after %s of %s", took, idle)
		}
		f.mu.RLock()
		if n := len(f.reminders); n > 2 {
			t.Errorf("%d timers for one watcher", n)
		}
		f.mu.RUnlock()
		f.Stop()
		v.want(t, ErrStopped.Error())
	})
}

func TestWatcherThatLeavesIsForgotten(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	entered, release := make(chan struct{}, 1), make(chan struct{})
	first, second := park(t, f, "", time.Hour, nil), park(t, f, "", time.Hour, nil)
	first.Leave()
	first.want(t, context.Canceled.Error())
	first.Leave() // it may come late
	busy := park(t, f, "busy", time.Hour, func() {
		select {
		case entered <- struct{}{}:
			<-release
		default:
		}
	})
	s.commit("busy")
	f.Wake()
	second.want(t, "change 1")
	<-entered
	busy.Leave() // while it is being visited
	close(release)
	busy.want(t, "change 1", context.Canceled.Error())
	second.Leave()
	second.want(t, context.Canceled.Error())
	f.mu.Lock()
	defer f.mu.Unlock()
	if parked := len(f.topics[everything].parked); f.watchers != 0 || parked != 0 || len(f.topics) != 1 {
		t.Errorf("%d watchers are left, %d of them parked, in %d topics", f.watchers, parked, len(f.topics))
	}
	for r, list := range f.reminders {
		if len(list) > 0 {
			t.Errorf("%d of them are to be reminded at %s", len(list), time.Duration(r))
		}
	}
}

func TestParkedWatcherIsNotToldOfStopOrMissingHistory(t *testing.T) {
	s := &source{}
	s.commit("a", "b")
	f := follow(t, Options{Source: s, Poll: 5 * time.Millisecond})
	all, one := park(t, f, "", time.Hour, nil), park(t, f, "a", time.Hour, nil)
	s.do(func() { s.last, s.pruned, s.txs = 9, 9, nil })
	all.want(t, "resync 9")
	one.want(t, "resync 9")
	f.Stop()
	all.want(t, ErrStopped.Error())
	one.want(t, ErrStopped.Error())
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := f.Drain(ctx); err != nil {
		t.Errorf("the feed is not drained: %v", err)
	}
}

// A watcher whose visits take long is slow, and is told so.
func TestSlowParkedWatcherGetsAGapInsteadOfItsReason(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour, Memory: 1})
	entered, release := make(chan struct{}, 100), make(chan struct{})
	v := park(t, f, "", time.Hour, func() { entered <- struct{}{}; <-release })
	s.commit("a")
	f.Wake()
	<-entered
	s.commit("a", "a", "a")
	applied(t, f, 4)
	close(release)
	v.want(t, "change 1", ErrSlow.Error())
}

func TestWatcherOfThePastIsParked(t *testing.T) {
	s := &source{}
	s.commit("a")
	f := follow(t, Options{Source: s})
	w := join(t, f, "")
	w.Resume(0)
	if w.Park(time.Hour, nil) {
		t.Error("a courier would have to wait for the store")
	}
}

func TestEventWakesMoreCouriersThanThereAreProcessors(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	var now, most atomic.Int64
	var all []visited
	for range 20 * round {
		all = append(all, park(t, f, "", time.Hour, func() {
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			runtime.Gosched()
			now.Add(-1)
		}))
	}
	s.commit("a")
	f.Wake()
	for _, v := range all {
		v.want(t, "change 1")
	}
	if n := most.Load(); n > int64(runtime.GOMAXPROCS(0)) {
		t.Errorf("%d couriers were under way at once", n)
	}
	for range 1000 {
		f.mu.RLock()
		left := f.couriers
		f.mu.RUnlock()
		if left == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Error("couriers stay although there is nothing to do")
}
