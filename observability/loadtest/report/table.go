package report

import (
	"fmt"
	"slices"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// A table is a part of a report, whatever its form.
type table struct {
	Title string
	Note  string
	Head  []string
	Rows  [][]string
}

func (r Run) claimTable() table {
	t := table{Title: "Is what the telemetry tells true?", Head: []string{"claim", "says", "verdict"}}
	for _, c := range r.Claims {
		t.Rows = append(t.Rows, []string{c.ID, c.Says, string(c.Verdict)})
	}
	return t
}

// A claimTable is a claim with the comparisons under it.
type claimTable struct {
	verify.Claim
	Table table
}

func (r Run) claimTables() (all []claimTable) {
	for _, c := range r.Claims {
		t := findingTable("Claim "+c.ID+": "+string(c.Verdict), c.Findings)
		t.Note = "It says that " + c.Says + "."
		all = append(all, claimTable{c, t})
	}
	return all
}

func findingTable(title string, findings []verify.Finding) table {
	t := table{Title: title, Head: []string{"what", "expected", "found", "difference", "tolerance", "verdict"}}
	for _, f := range findings {
		t.Rows = append(t.Rows, []string{f.What, f.Expected, f.Found, f.Difference, f.Tolerance, string(f.Verdict)})
	}
	return t
}

// factTables are what the tester knows by itself.
func (r Run) factTables() []table {
	all := []table{r.loadTable(), r.latencyTable()}
	if r.Evidence.Freshness.Took.Count > 0 {
		all = append(all, freshnessTable(r.Evidence.Freshness))
	}
	if r.Propagation != nil {
		all = append(all, propagationTable(*r.Propagation))
	}
	return append(all, findingTable("Thresholds of the scenario", r.Thresholds), countTable(r.Counts))
}

// rate is how many requests a second were answered; 0 for a load that was ended
// before it began.
func (r Run) rate() float64 {
	if r.loaded() <= 0 {
		return 0
	}
	return float64(r.Load.Totals.Completed) / r.loaded().Seconds()
}

func (r Run) loadTable() table {
	n := r.Load.Totals
	t := table{Title: "The load", Head: []string{"requests", "number"}, Rows: [][]string{
		{"scheduled", fmt.Sprint(n.Scheduled)},
		{"completed", fmt.Sprintf("%d (%.1f a second)", n.Completed, r.rate())},
		{"failed, without an answer", fmt.Sprint(n.Failed)},
		{"not started", fmt.Sprint(n.NotStarted)},
		{"sent more than 5 ms late", fmt.Sprint(n.SentLate)},
		{"answered otherwise than wanted", fmt.Sprint(n.Unwanted)},
	}}
	for kind, times := range n.Failures {
		t.Rows = append(t.Rows, []string{"failed: " + kind, fmt.Sprint(times)})
	}
	if r.Knee > 0 {
		t.Rows = append(t.Rows, []string{"highest rate that was kept up with, a second", fmt.Sprintf("%.0f", r.Knee)})
	}
	return t
}

func (r Run) latencyTable() table {
	row := func(name string, d load.Distribution) []string {
		return []string{name, Short(d.P50), Short(d.P90), Short(d.P95), Short(d.P99), Short(d.P999), Short(d.Max)}
	}
	return table{
		Title: "Latency",
		Note:  "From the scheduled moment a latency holds the queue in front of a server that cannot keep up; from the sent moment it does not.",
		Head:  []string{"from … to", "p50", "p90", "p95", "p99", "p99.9", "max"},
		Rows: [][]string{
			row("scheduled … answered", r.Response), row("sent … answered", r.Service), row("scheduled … sent", r.Lateness),
		},
	}
}

func freshnessTable(f verify.Freshness) table {
	row := func(name string, d load.Distribution) []string {
		return []string{name, fmt.Sprint(d.Count), Short(d.P50), Short(d.P95), Short(d.Max)}
	}
	return table{
		Title: "From a request to its being in Prometheus",
		Note:  "Requests of a kind of their own were sent beside the load, two a second; Prometheus was asked until it had each of them.",
		Head:  []string{"by", "requests", "p50", "p95", "max"},
		Rows:  [][]string{row("the direct path", f.Direct), row("the Collector", f.Collector), row("both", f.Took)},
	}
}

func propagationTable(p target.Propagation) table {
	return table{
		Title: "Changes at the watchers",
		Head:  []string{"watchers", "changes", "arrived", "missing", "repeated", "out of order", "p50", "p99", "max"},
		Rows: [][]string{{
			fmt.Sprint(p.Watchers), fmt.Sprint(p.Changes), fmt.Sprint(p.Arrived), fmt.Sprint(p.Missing), fmt.Sprint(p.Repeated), fmt.Sprint(p.Disorder),
			Short(p.Took.P50), Short(p.Took.P99), Short(p.Took.Max),
		}},
	}
}

func countTable(counts target.Counts) table {
	t := table{Title: "Answers", Note: "All of them: also those to requests before and beside the load.", Head: []string{"method", "route", "status", "number"}}
	for s, n := range counts {
		t.Rows = append(t.Rows, []string{s.Method, s.Route, s.Status, fmt.Sprint(n)})
	}
	slices.SortFunc(t.Rows, func(a, b []string) int {
		return slices.Compare([]string{a[1], a[0], a[2]}, []string{b[1], b[0], b[2]})
	})
	return t
}

// Short rounds a duration to about three digits.
func Short(d time.Duration) string {
	grain := time.Microsecond
	for d >= 1000*grain {
		grain *= 10
	}
	return d.Round(grain).String()
}
