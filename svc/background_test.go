package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

func TestWatchHoldsUpTheStop(t *testing.T) {
	p := start(t, "--watch-bookmark=1h", "--stop-deadline=1m")
	resp, err := http.Get(p.url("/api/v1/watch"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stream := bufio.NewReader(resp.Body)
	for line := ""; !strings.HasPrefix(line, "data:"); {
		if line, err = stream.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	stopped := time.Now()
	p.Process.Signal(syscall.SIGTERM)
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), "\n: ") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if err := p.wait(t); err != nil || time.Since(stopped) > 15*time.Second {
		t.Errorf("the service ended after %s with %v\n%s", time.Since(stopped), err, p.stderr)
	}
}

func TestOptionsOfWatchAndHistoryMakeNoSense(t *testing.T) {
	args := []string{"--max-watchers=0", "--watch-bookmark=0s", "--history-versions=0", "--history-age=-1h", "--audit-age=0s"}
	_, err := parseOptions(args, func(string) string { return "" })
	if err == nil {
		t.Fatal("they are taken")
	}
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); !strings.Contains(err.Error(), name+" is ") {
			t.Errorf("%s is not refused:\n%v", arg, err)
		}
	}
}

func TestFailureEndsTheForgettingOfHistory(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	want := conf.Retention{Versions: 3, Age: time.Hour, Audit: 2 * time.Hour}
	var log strings.Builder
	times := 0
	retain(ctx, func(_ context.Context, r conf.Retention) error {
		if r != want {
			t.Errorf("asked to keep %+v, want %+v", r, want)
		}
		if times++; times == 3 {
			cancel()
		}
		return errors.New("the disk is full")
	}, want, time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	if times != 3 || strings.Count(log.String(), "the disk is full") != 2 {
		t.Errorf("%d attempts, and the log is:\n%s", times, log.String())
	}
}
