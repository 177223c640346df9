package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

// A source keeps transactions in memory; tests break it.
type source struct {
	mu     sync.Mutex
	txs    []conf.Transaction
	last   int64 // revision
	pruned int64
	err    error
}

func (s *source) Changes(_ context.Context, after int64, limit int) ([]conf.Transaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if after < s.pruned {
		return nil, conf.Errorf(conf.Compacted, "gone")
	}
	i, _ := slices.BinarySearchFunc(s.txs, after+1, func(tx conf.Transaction, r int64) int { return int(tx.Revision - r) })
	return slices.Clone(s.txs[i:min(i+limit, len(s.txs))]), nil
}

func (s *source) Stats(context.Context) (conf.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return conf.Stats{Revision: s.last}, s.err
}

// do changes the source.
func (s *source) do(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// commit adds a transaction for each application.
func (s *source) commit(applications ...string) {
	s.do(func() {
		for _, app := range applications {
			s.last++
			s.txs = append(s.txs, conf.Transaction{Revision: s.last, Changes: []conf.Change{
				{Operation: conf.Update, ApplicationID: app, ConfigurationID: app + "/flags", Name: "flags", UpdatedAt: time.Now()}}})
		}
	})
}

const timeout = 20 * time.Second

func follow(t *testing.T, o Options) *Feed {
	t.Helper()
	f := newFeed(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return f
}

// newFeed returns a feed that takes only what the test has it take.
func newFeed(t *testing.T, o Options) *Feed {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	f, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func join(t *testing.T, f *Feed, key string) *Watcher {
	t.Helper()
	w, err := f.Watch(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// next returns what the watcher gets next, as "kind revision ...".
func next(t *testing.T, w *Watcher) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	events, err := w.Next(ctx, nil)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprint(e.Kind, " ", e.Revision))
	}
	return strings.Join(all, ", ")
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func applied(t *testing.T, f *Feed, revision int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	if err := f.WaitFor(ctx, revision); err != nil {
		t.Fatalf("revision %d does not arrive: %v", revision, err)
	}
}

// The store can be ahead of the feed, and with it of the cache: a client that
// learned of a change from there would read what was before it.
func TestWatcherOfThePastOvertakesTheFeed(t *testing.T) {
	s := &source{}
	s.commit("a", "a")
	f := newFeed(t, Options{Source: s})
	s.commit("a", "a")
	w := join(t, f, everything)
	w.Resume(0)
	want(t, next(t, w), "change 1, change 2")
	if events, err := w.Next(t.Context(), fired()); err != nil || len(events) > 0 { // it joins the ring
		t.Errorf("the watcher got %v (%v), which the feed has not", events, err)
	}
	if err := f.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, next(t, w), "change 3, change 4")
}

func TestWatcherOfAPastThatIsNoMoreSkipsWhatReplacesIt(t *testing.T) {
	s := &source{}
	s.commit("a", "a", "a")
	f := newFeed(t, Options{Source: s})
	w := join(t, f, everything)
	w.Resume(2)
	s.do(func() { s.last, s.txs = 1, s.txs[:1] })
	if err := f.verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.commit("a")
	if err := f.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, next(t, w), "resync 2")
}

// fired is an idle timer that has fired.
func fired() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}

func TestLostNotificationIsNeverNoticed(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: 5 * time.Millisecond, Listen: func(ctx context.Context, _ func()) { <-ctx.Done() }})
	w := join(t, f, "")
	s.commit("a") // and nobody says a word
	want(t, next(t, w), "change 1")
}

func TestNotificationOfAnotherProcessIsIgnored(t *testing.T) {
	s := &source{}
	changed := make(chan struct{})
	f := follow(t, Options{Source: s, Poll: time.Hour, Listen: func(ctx context.Context, tell func()) {
		for {
			select {
			case <-changed:
				tell()
			case <-ctx.Done():
				return
			}
		}
	}})
	w := join(t, f, "")
	s.commit("a", "b")
	changed <- struct{}{}
	got := next(t, w)
	if got == "change 1" { // it need not wait for the other
		got += ", " + next(t, w)
	}
	want(t, got, "change 1, change 2")
}

func TestEventIsEncodedForEachWatcher(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	const watchers, changes = 1000, 5
	var all sync.WaitGroup
	for i := range watchers {
		w := join(t, f, []string{"", "a", "a/flags"}[i%3])
		all.Go(func() {
			for got := 0; got < changes; {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				events, err := w.Next(ctx, nil)
				cancel()
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range events {
					e.Frame()
				}
				got += len(events)
			}
		})
	}
	for range changes {
		s.commit("a")
		f.Wake()
	}
	all.Wait()
	if n := f.encoded.Load(); n != changes {
		t.Errorf("%d changes were encoded %d times for %d watchers", changes, n, watchers)
	}
}

func TestEventThatNobodyWatchesIsEncoded(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	s.commit("a", "a")
	applied(t, f, 2)
	if n := f.encoded.Load(); n > 0 {
		t.Errorf("%d events were encoded", n)
	}
}

func TestChangeThatCannotBeToldEndsTheFeed(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	w := join(t, f, everything)
	s.commit("a")
	s.do(func() { s.txs[0].Changes[0].Config = []byte(`{"meddled with`) })
	s.commit("a")
	f.Wake()
	var got string
	for !strings.Contains(got, "id: 2") {
		events, err := w.Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			got += string(e.Frame())
		}
	}
	if !strings.HasPrefix(got, "id: 1\nevent: resync\n") || !strings.Contains(got, "\n\nid: 2\nevent: change\n") {
		t.Errorf("the watcher got %q", got)
	}
}

func TestSourceThatFailsLosesChanges(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: 5 * time.Millisecond})
	w := join(t, f, "")
	s.do(func() { s.err = errors.New("down") })
	f.Wake()
	s.do(func() { s.last, s.txs = 1, []conf.Transaction{{Revision: 1}} })
	deadline := time.Now().Add(timeout)
	for f.Staleness() < 50*time.Millisecond && time.Now().Before(deadline) {
		f.Wake()
	}
	if f.Applied() != 0 || f.Staleness() < 50*time.Millisecond {
		t.Errorf("a feed that cannot ask has applied %d and calls itself %s stale", f.Applied(), f.Staleness())
	}
	s.do(func() { s.err = nil })
	want(t, next(t, w), "change 1")
	if f.Staleness() > timeout {
		t.Error("the feed is not fresh again")
	}
}

func TestMissingHistoryIsSilenceToThoseWhoWatch(t *testing.T) {
	for name, lose := range map[string]func(*source){
		"pruned":         func(s *source) { s.last, s.pruned, s.txs = 9, 9, nil },
		"a gap":          func(s *source) { s.last, s.txs = 9, nil },
		"an older store": func(s *source) { s.last, s.txs = 1, s.txs[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{}
			s.commit("a", "b")
			resets := make(chan struct{}, 1)
			f := follow(t, Options{Source: s, Poll: 5 * time.Millisecond, Reset: func() { resets <- struct{}{} }})
			all, one, behind := join(t, f, ""), join(t, f, "a"), join(t, f, "b")
			s.do(func() { lose(s) })
			resync := fmt.Sprint("resync ", s.last)
			want(t, next(t, all), resync)
			want(t, next(t, one), resync)
			<-resets
			s.commit("b")
			after := fmt.Sprint("change ", s.last)
			want(t, next(t, all), after)
			applied(t, f, s.last)
			want(t, next(t, behind), fmt.Sprint("resync ", s.last)) // it has all up to there to read anyway
		})
	}
}

func TestSlowWatcherIsSentBackToARevisionThatIsNoMore(t *testing.T) {
	s := &source{}
	s.commit("a")
	resets := make(chan struct{}, 1)
	f := follow(t, Options{Source: s, Poll: 5 * time.Millisecond, Memory: 1, Reset: func() { resets <- struct{}{} }})
	w := join(t, f, "")
	s.commit("a", "a")
	applied(t, f, 3)
	s.do(func() { s.last, s.txs = 1, s.txs[:1] })
	<-resets
	s.commit("a")
	for f.Applied() != 2 {
		f.Wake()
	}
	if got := next(t, w); got == ErrSlow.Error() {
		t.Error("the watcher is told to resume after what the store does not have")
	}
}

func TestWatcherIsCalledSlowForTheTrafficOfOthers(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour, Memory: 1})
	mine, all := join(t, f, "mine"), join(t, f, "")
	for range 10 {
		s.commit("other")
	}
	applied(t, f, 10)
	want(t, next(t, all), ErrSlow.Error())
	s.commit("mine")
	applied(t, f, 11)
	want(t, next(t, mine), "change 11")
	for range 3 {
		s.commit("mine", "other")
	}
	applied(t, f, 17)
	want(t, next(t, mine), ErrSlow.Error())
}

func TestApplyComesAfterThoseWhoWait(t *testing.T) {
	s := &source{}
	var f *Feed
	var mu sync.Mutex
	var order []int64
	f = follow(t, Options{Source: s, Poll: time.Hour, Apply: func(tx conf.Transaction) {
		mu.Lock()
		defer mu.Unlock()
		if order = append(order, tx.Revision); f.Applied() >= tx.Revision {
			t.Errorf("revision %d is told when it is applied already", tx.Revision)
		}
	}})
	s.commit(slices.Repeat([]string{"a"}, 3*followBatch)...)
	applied(t, f, 3*followBatch)
	mu.Lock()
	defer mu.Unlock()
	if len(order) != 3*followBatch || !slices.IsSorted(order) {
		t.Errorf("the transactions came as %v", order)
	}
}

func TestWaitForTheFutureNeverEnds(t *testing.T) {
	f := follow(t, Options{Source: &source{}, Poll: 5 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.WaitFor(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for what does not come ended with %v", err)
	}
}

func TestStoppedFeedTakesWatchers(t *testing.T) {
	f := follow(t, Options{Source: &source{}})
	w := join(t, f, "")
	past := join(t, f, "")
	past.Resume(0)
	f.Stop()
	f.Stop()
	want(t, next(t, w), ErrStopped.Error())
	want(t, next(t, past), ErrStopped.Error())
	if _, err := f.Watch(""); err != ErrStopped {
		t.Errorf("a watch that begins after the stop ended with %v", err)
	}
}

func TestFeedBeginsWithoutKnowingWhere(t *testing.T) {
	if _, err := New(t.Context(), Options{Source: &source{err: errors.New("down")}}); err == nil {
		t.Error("a feed began although its source does not answer")
	}
}
