package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/report"
)

const (
	plainEvery = 10 // seconds between lines where there is no terminal
	barWidth   = 40
	sparkWidth = 40
)

// A view shows how a load goes: on a terminal one picture that changes, and
// otherwise a line now and then.
type view struct {
	w        io.Writer
	terminal bool
	schedule *load.Schedule
	rates    []float64 // answered, by interval
	drawn    int       // lines of the picture that is there
	last     load.Point
}

func newView(w io.Writer, s *load.Schedule, getenv func(string) string) *view {
	return &view{w: w, terminal: isTerminal(w) && getenv("TERM") != "dumb", schedule: s}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// watchOver ends an interval each second and shows it, until ctx ends.
func (s *session) watchOver(ctx context.Context) {
	started := time.Now()
	v := newView(s.stdout, s.schedule, s.getenv)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			v.show(s.recorder.Mark(time.Since(started)), s.recorder.Totals())
		case <-ctx.Done():
			v.end(s.recorder.Mark(time.Since(started)).At, s.recorder.Totals())
			return
		}
	}
}

func (v *view) show(p load.Point, so load.Totals) {
	v.rates, v.last = append(v.rates, float64(p.Completed)), p
	switch {
	case v.terminal:
		v.redraw(v.picture(p, so))
	case len(v.rates)%plainEvery == 0 || p.At >= v.schedule.Length() && len(v.rates) == int(v.schedule.Length()/time.Second):
		fmt.Fprintf(v.w, "%v of %v: %d/s due, %d/s answered, p50 %s, p99 %s, %s\n", p.At.Round(time.Second), v.schedule.Length(),
			p.Scheduled, p.Completed, report.Short(p.P50), report.Short(p.P99), faults(so))
	}
}

// end leaves a picture of the whole load; the interval that was cut short has no
// rate to speak of.
func (v *view) end(at time.Duration, so load.Totals) {
	if v.terminal {
		v.last.At = at
		v.redraw(v.picture(v.last, so))
	}
}

// redraw overwrites what it drew before.
func (v *view) redraw(lines []string) {
	var b strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", v.drawn)
	}
	for _, line := range lines {
		b.WriteString("\x1b[2K" + line + "\n")
	}
	v.drawn = len(lines)
	_, _ = io.WriteString(v.w, b.String()) // a terminal that is gone is no reason to stop
}

func (v *view) picture(p load.Point, so load.Totals) []string {
	length := v.schedule.Length()
	done := min(float64(p.At)/float64(length), 1)
	filled := int(done * barWidth)
	return []string{
		fmt.Sprintf("%s%s %3.0f %%, %v left", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), 100*done, max(length-p.At, 0).Round(time.Second)),
		fmt.Sprintf("  rate     %d/s due, %d/s answered  %s", p.Scheduled, p.Completed, spark(v.rates)),
		fmt.Sprintf("  latency  p50 %s, p99 %s", report.Short(p.P50), report.Short(p.P99)),
		fmt.Sprintf("  so far   %d answered, %s", so.Completed, faults(so)),
	}
}

func faults(so load.Totals) string {
	return fmt.Sprintf("%d failed, %d unwanted, %d sent late, %d not started", so.Failed, so.Unwanted, so.SentLate, so.NotStarted)
}

// spark draws the last values, each as high as it is of the highest.
func spark(values []float64) string {
	const steps = "▁▂▃▄▅▆▇█"
	values = values[max(len(values)-sparkWidth, 0):]
	highest := 1.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteRune([]rune(steps)[int(v/highest*7)])
	}
	return b.String()
}
