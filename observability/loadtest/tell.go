package main

import (
	"fmt"
	"io"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/report"
	"configservice/observability/loadtest/verify"
)

// tell says what became of a run: each claim in a line, and below it what is
// not true.
func tell(w io.Writer, r report.Run) {
	n := r.Load.Totals
	fmt.Fprintf(w, "\n%s: %d requests scheduled, %d answered; %s\n", r.Scenario.Name, n.Scheduled, n.Completed, faults(n))
	if r.Load.Behind() {
		fmt.Fprintf(w, "the load was not what it claims to be: %d requests were sent late, for want of a processor or of a free one of the --connections\n", n.SentLate)
	}
	quantiles := func(d load.Distribution) string {
		return fmt.Sprintf("p50 %s, p95 %s, p99 %s", report.Short(d.P50), report.Short(d.P95), report.Short(d.P99))
	}
	fmt.Fprintf(w, "  scheduled to answered: %s\n  sent to answered:      %s\n", quantiles(r.Response), quantiles(r.Service))
	if p := r.Propagation; p != nil {
		fmt.Fprintf(w, "  change to watcher:     %s; %d changes to %d watchers, %d missing\n", quantiles(p.Took), p.Changes, p.Watchers, p.Missing)
	}
	if r.Knee > 0 {
		fmt.Fprintf(w, "  kept up with:          %.0f requests a second\n", r.Knee)
	}
	tellThresholds(w, r.Thresholds)
	tellClaims(w, r.Claims)
}

func tellThresholds(w io.Writer, thresholds []verify.Finding) {
	for _, f := range thresholds {
		if f.Verdict != verify.True {
			fmt.Fprintf(w, "threshold missed: %s: %s, not %s\n", f.What, f.Found, f.Expected)
		}
	}
}

// mostTold is how many findings of a claim are told.
const mostTold = 8

func tellClaims(w io.Writer, claims []verify.Claim) {
	for _, c := range claims {
		fmt.Fprintf(w, "claim %-6s  %-9s  %s\n", c.ID, c.Verdict, c.Says)
		told := 0
		for _, f := range c.Findings {
			if f.Verdict == verify.True {
				continue
			}
			if told++; told <= mostTold {
				fmt.Fprintf(w, "    %s: %s: %s\n", f.Verdict, f.What, detail(f))
			}
		}
		if told > mostTold {
			fmt.Fprintf(w, "    and %d more, in the report\n", told-mostTold)
		}
	}
}

func detail(f verify.Finding) string {
	if f.Expected == "" {
		return f.Found
	}
	text := fmt.Sprintf("expected %s, found %s", f.Expected, f.Found)
	if f.Difference != "" {
		text += " (" + f.Difference + ")"
	}
	return text
}
