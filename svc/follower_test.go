package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A follower watches everything, and resumes where it was when its service is
// gone.
type follower struct {
	running sync.WaitGroup
	mu      sync.Mutex
	last    int64 // revision
	faults  []string
	moved   chan struct{} // closed at the next event
}

func newFollower() *follower { return &follower{moved: make(chan struct{})} }

// follow watches p until it is gone.
func (f *follower) follow(p *process) {
	f.running.Go(func() {
		req, err := http.NewRequest(http.MethodGet, p.url("/api/v1/watch"), nil)
		if err != nil {
			f.fault(err.Error())
			return
		}
		f.mu.Lock()
		req.Header.Set("Last-Event-ID", strconv.FormatInt(f.last, 10))
		f.mu.Unlock()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return // killed before it could answer
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			f.fault("the watch was answered " + resp.Status)
			return
		}
		f.read(bufio.NewScanner(resp.Body))
	})
}

// read takes whole events; one that is cut off has not happened.
func (f *follower) read(lines *bufio.Scanner) {
	lines.Buffer(nil, 1<<20)
	fields := map[string]string{}
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			fields[name] = value
			continue
		}
		if lines.Text() == "" && fields["event"] != "" {
			f.event(fields["event"], fields["id"])
			fields = map[string]string{}
		}
	}
}

func (f *follower) event(kind, id string) {
	revision, err := strconv.ParseInt(id, 10, 64)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil:
		f.faults = append(f.faults, fmt.Sprintf("event %q has the id %q", kind, id))
	case kind == "bookmark" && revision == f.last:
	case kind == "change" && revision == f.last+1:
		f.last = revision
		close(f.moved)
		f.moved = make(chan struct{})
	default:
		f.faults = append(f.faults, fmt.Sprintf("event %q of revision %d came after revision %d", kind, revision, f.last))
	}
}

func (f *follower) fault(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, text)
}

// want waits until the follower has seen every revision up to the last, and
// fails when one was missing, came twice or not in order.
func (f *follower) want(t *testing.T, last int64) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		f.mu.Lock()
		seen, faults, moved := f.last, f.faults, f.moved
		f.mu.Unlock()
		if len(faults) > 0 {
			t.Fatalf("the watcher saw: %s", strings.Join(faults, "; "))
		}
		if seen >= last {
			return
		}
		select {
		case <-moved:
		case <-deadline:
			t.Fatalf("the watcher got up to revision %d, not %d", seen, last)
		}
	}
}
