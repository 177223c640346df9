package supervise

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/internal/testwait"
)

// bench is a supervisor at work in a test.
type bench struct {
	t          *testing.T
	out        *testwait.Transcript
	stop, kill context.CancelFunc
	ended      chan error
	super      *Supervisor
	events     string
}

// supervising runs the programs until the test ends or stops them.
func supervising(t *testing.T, events string, programs ...Program) *bench {
	t.Helper()
	return superviseWith(t, events, func(*Supervisor) {}, programs...)
}

func superviseWith(t *testing.T, events string, adjust func(*Supervisor), programs ...Program) *bench {
	t.Helper()
	b := &bench{t: t, out: testwait.NewTranscript(), ended: make(chan error, 1), events: events}
	b.super = &Supervisor{
		Programs: programs,
		Stdout:   b.out,
		LogDir:   t.TempDir(),
		Cgroup:   "config-service-stack-test-" + strconv.Itoa(os.Getpid()),
		HowTo:    "how to stop",
		Pace: Pace{
			Poll: 5 * time.Millisecond, FirstPause: 10 * time.Millisecond, LongestPause: time.Second,
			RanWell: time.Hour, LogLimit: 1 << 20,
		},
	}
	adjust(b.super)
	var stop, kill context.Context
	stop, b.stop = context.WithCancel(t.Context())
	kill, b.kill = context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		b.ended <- b.super.Run(stop, kill)
	}()
	t.Cleanup(func() {
		b.stop()
		b.kill()
		<-over
	})
	return b
}

// end waits until Run has returned.
func (b *bench) end() error {
	b.t.Helper()
	select {
	case err := <-b.ended:
		return err
	case <-time.After(testwait.Patience):
		text := b.out.String()
		b.t.Fatalf("Run did not return:\n%s", text)
		return nil
	}
}

// awaitEvent waits for the nth line that one of the fake programs has noted.
func (b *bench) awaitEvent(event string, nth int) {
	b.t.Helper()
	testwait.Until(b.t, event, func() bool {
		return strings.Count(readEvents(b.t, b.events), event+"\n") >= nth
	})
}

func readEvents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

func eventsFile(t *testing.T) string { return filepath.Join(t.TempDir(), "events") }

// ask calls a path of a fake program. Its answer may be its end.
func ask(t *testing.T, p Program, path string) {
	t.Helper()
	response, err := http.Get(strings.TrimSuffix(p.Health, "/healthz") + path)
	if err == nil {
		response.Body.Close()
	} else if !strings.HasPrefix(path, "/die") {
		t.Fatal(err)
	}
}

// running tells whether the process is there and not merely waiting to be reaped.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return os.IsNotExist(err) && syscall.Kill(pid, 0) == nil // no /proc here
	}
	after := stat[bytes.LastIndexByte(stat, ')')+1:]
	return !bytes.HasPrefix(after, []byte(" Z"))
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
