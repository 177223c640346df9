package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"configservice/observability/loadtest/load"
)

func TestViewOfARunningLoadLacksSomething(t *testing.T) {
	var out bytes.Buffer
	v := &view{w: &out, terminal: true, schedule: load.NewSchedule([]load.Phase{{From: 10, To: 10, For: 4 * time.Second}})}
	v.show(load.Point{At: time.Second, Scheduled: 10, Completed: 5, P50: time.Millisecond, P99: 2 * time.Millisecond}, load.Totals{Completed: 5})
	v.show(load.Point{At: 2 * time.Second, Scheduled: 10, Completed: 10, P50: time.Millisecond, P99: 2 * time.Millisecond}, load.Totals{Completed: 15, Failed: 3})
	text := out.String()
	for _, part := range []string{" 50 %, 2s left", "10/s due, 10/s answered", "▄█", "p50 1ms, p99 2ms", "15 answered, 3 failed", "\x1b[4A"} {
		if !strings.Contains(text, part) {
			t.Errorf("there is no %q in\n%s", part, text)
		}
	}
	out.Reset()
	v.end(4*time.Second, load.Totals{Completed: 40})
	if !strings.Contains(out.String(), "100 %, 0s left") {
		t.Errorf("at the end it shows\n%s", out.String())
	}
}

func TestViewDrawsPicturesWhereThereIsNoTerminal(t *testing.T) {
	var out bytes.Buffer
	v := newView(&out, load.NewSchedule([]load.Phase{{From: 10, To: 10, For: 30 * time.Second}}), func(string) string { return "xterm" })
	for s := range 10 {
		v.show(load.Point{At: time.Duration(s+1) * time.Second, Scheduled: 10, Completed: 10}, load.Totals{})
	}
	v.end(10*time.Second, load.Totals{})
	if text := out.String(); strings.Contains(text, "\x1b") || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "10s of 30s: 10/s due") {
		t.Errorf("want one plain line in ten seconds, got\n%s", text)
	}
}
