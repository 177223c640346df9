package main

import (
	"context"
	"fmt"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/report"
	"configservice/observability/loadtest/verify"
)

// thresholds holds a run against what its scenario asks of the service.
func thresholds(r report.Run, waits func() (float64, error)) (findings []verify.Finding, err error) {
	t, n := r.Scenario.Thresholds, r.Load.Totals
	add := func(ok bool, what, expected, found string) {
		f := verify.Finding{What: what, Expected: expected, Found: found, Verdict: verify.True}
		if !ok {
			f.Verdict = verify.False
		}
		findings = append(findings, f)
	}
	bad := float64(n.Failed+n.Unwanted+n.NotStarted) / float64(max(n.Scheduled, 1))
	add(bad <= t.Errors, "requests without the answer that they want", fmt.Sprintf("≤ %g %%", 100*t.Errors), fmt.Sprintf("%.2f %%", 100*bad))
	add(r.Response.P99 <= t.P99, "p99 from the scheduled moment", "≤ "+t.P99.String(), r.Response.P99.String())
	if p := r.Propagation; p != nil {
		add(p.Missing+p.Repeated+p.Disorder == 0, "events missing, repeated or out of order", "0", fmt.Sprint(p.Missing+p.Repeated+p.Disorder))
		add(p.Took.P99 <= t.PropagationP99, "p99 from a change to its arrival at a watcher", "≤ "+t.PropagationP99.String(), p.Took.P99.String())
	}
	if t.Knee > 0 {
		add(r.Knee >= t.Knee, "requests a second that are kept up with", fmt.Sprintf("≥ %g", t.Knee), fmt.Sprintf("%.0f", r.Knee))
	}
	if t.PoolWaits > 0 && waits != nil {
		waited, err := waits()
		if err != nil {
			return findings, err
		}
		add(waited >= float64(t.PoolWaits), "requests that waited for a connection of the database", fmt.Sprintf("≥ %d", t.PoolWaits), fmt.Sprintf("%.0f", waited))
	}
	return findings, nil
}

const (
	// A service keeps up with a rate when it answers all but this share of it,
	keptUp = 0.95
	// and the median response waits no longer than this.
	kneeLatency = 100 * time.Millisecond
)

// knee returns the highest rate that was offered before the first second in
// which the service did not keep up; 0 where the rate does not rise.
func knee(s *load.Schedule, points []load.Point) (rate float64) {
	if s.Rate(0) >= s.Rate(s.Length()-1) {
		return 0
	}
	for i, p := range points {
		var since time.Duration
		if i > 0 {
			since = points[i-1].At
		}
		offered := float64(p.Scheduled) / (p.At - since).Seconds()
		if float64(p.Completed) < keptUp*float64(p.Scheduled)-2 || p.P50 > kneeLatency {
			break
		}
		rate = max(rate, offered)
	}
	return rate
}

// waited is how many requests waited for a connection of the database for a
// noticeable time.
func (s *session) waited(ctx context.Context) func() (float64, error) {
	if s.observer == nil {
		return nil
	}
	return func() (float64, error) { return s.observer.PoolWaits(ctx) }
}
