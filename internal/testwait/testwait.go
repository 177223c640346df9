// Package testwait lets tests wait for what other processes do, without sleeping
// and never forever, and tells whether the programs that they run are there.
package testwait

import (
	"bytes"
	"os"
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
func Until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	UntilWithin(t, what, Patience, condition)
}

// UntilWithin is [Until] with a deadline of its own, for what takes longer.
func UntilWithin(t testing.TB, what string, patience time.Duration, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(max(5*time.Millisecond, patience/1000))
	defer tick.Stop()
	deadline := time.After(patience)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// Built skips the test where a program that it runs is not built, and fails it
// in CI, where all are.
func Built(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		_, err := os.Stat(program)
		switch {
		case err != nil && os.Getenv("CI") == "true":
			t.Fatalf("a program is not built: %v", err)
		case err != nil:
			t.Skipf("a program is not built (make test builds them): %v", err)
		}
	}
}
