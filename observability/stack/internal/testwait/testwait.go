// Package testwait lets tests wait for what other processes do, without sleeping
// and never forever.
package testwait

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Patience is the deadline of every wait, for things that take milliseconds on
// an idle machine.
const Patience = 30 * time.Second

// Transcript is a writer whose text tests can wait for. It is safe for
// concurrent use.
type Transcript struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed at each write
}

// NewTranscript returns an empty one.
func NewTranscript() *Transcript { return &Transcript{changed: make(chan struct{})} }

// Write adds text and wakes those who wait.
func (tr *Transcript) Write(text []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	close(tr.changed)
	tr.changed = make(chan struct{})
	return tr.text.Write(text)
}

// String returns what has been written so far.
func (tr *Transcript) String() string {
	text, _ := tr.look()
	return text
}

func (tr *Transcript) look() (string, <-chan struct{}) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String(), tr.changed
}

// Await returns the groups of the nth match of pattern (from 1) as soon as there
// is one, and fails the test at the deadline.
func (tr *Transcript) Await(t *testing.T, pattern string, nth int) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	deadline := time.After(Patience)
	for {
		text, changed := tr.look()
		if matches := wanted.FindAllStringSubmatch(text, -1); len(matches) >= nth {
			return matches[nth-1]
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("no match number %d of %q in:\n%s", nth, pattern, text)
		}
	}
}

// Until polls for a condition that cannot be waited for otherwise, and fails the
// test at the deadline.
func Until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
