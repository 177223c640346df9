package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

// since returns what the source has after a revision.
func (s *source) since(revision int64) []conf.Transaction {
	txs, _ := s.Changes(context.Background(), revision, 1000)
	return txs
}

func TestWhatWasHandedIsReadBack(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	w := join(t, f, everything)
	s.commit("a", "b")
	txs := s.since(0)
	s.do(func() { s.err = errors.New("nobody was to ask") })
	f.Hand(txs)
	want(t, nextN(t, w, 2), "change 1, change 2")
}

func TestWhatOthersCommittedInBetweenIsLostOrComesTwice(t *testing.T) {
	s := &source{}
	f := follow(t, Options{Source: s, Poll: time.Hour})
	w := join(t, f, everything)
	s.commit("mine")
	f.Hand(s.since(0))
	s.commit("other", "mine", "other", "mine")
	own := s.since(0)
	f.Hand([]conf.Transaction{own[2], own[4]})
	want(t, nextN(t, w, 5), "change 1, change 2, change 3, change 4, change 5")
	f.Hand(own) // late: the source has told all of it
	s.commit("mine")
	f.Hand(s.since(5))
	want(t, next(t, w), "change 6")
}

func TestMoreIsHandedThanTheFeedTakes(t *testing.T) {
	s := &source{}
	f := newFeed(t, Options{Source: s})
	w := join(t, f, everything)
	const n = 10
	for i := range n {
		s.commit("a")
		s.do(func() { s.txs[i].Changes[0].Config = []byte(`"` + strings.Repeat("x", maxHanded/4) + `"`) })
		f.Hand(s.since(int64(i)))
	}
	if kept := len(f.handed.txs); kept >= 4 {
		t.Errorf("%d transactions of a quarter of the bound each are kept", kept)
	}
	if err := f.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.Applied(); got != n {
		t.Errorf("the feed has got up to revision %d, not %d", got, n)
	}
	want(t, nextN(t, w, 1), "change 1")
}

func TestWhatWasHandedOutlivesItsHistory(t *testing.T) {
	s := &source{}
	s.commit("a", "a", "a")
	f := newFeed(t, Options{Source: s})
	w := join(t, f, everything)
	s.commit("lost")
	f.Hand(s.since(3))
	s.do(func() { s.last, s.txs = 2, s.txs[:2] })
	if err := f.verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.commit("a")
	if err := errors.Join(f.follow(t.Context()), f.take(t.Context())); err != nil {
		t.Fatal(err)
	}
	want(t, next(t, w), "resync 3")
	want(t, fmt.Sprint(f.Applied()), "3")
}

// nextN returns the next n events.
func nextN(t *testing.T, w *Watcher, n int) string {
	t.Helper()
	got := next(t, w)
	for strings.Count(got, ",") < n-1 && !t.Failed() {
		got += ", " + next(t, w)
	}
	return got
}
