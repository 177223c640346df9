package verify

import (
	"fmt"
	"strings"
)

func judgeIntegrity(e Evidence) (findings []Finding) {
	for _, s := range e.Stages {
		if s.After.Missing != "" {
			findings = append(findings, Finding{What: s.Name, Expected: "there", Found: s.After.Missing, Verdict: False})
			continue
		}
		findings = append(findings,
			none("series whose +Inf bucket is not their count, by "+s.Name, unequal(s.After)),
			none("series that overflowed, by "+s.Name, s.After.Overflow),
			exactly("errors that the SDK reported, by "+s.Name, 0, int64(s.After.Errors-s.Before.Errors)))
	}
	return append(findings,
		incidents("counters that went back", e.Resets),
		incidents("scrapes that failed", e.Down),
		incidents("items that the Collector refused, failed to send or dropped", e.Troubles))
}

// unequal returns the series whose last bucket does not hold all.
func unequal(s Snapshot) (names []string) {
	for series, n := range s.Counts {
		if s.Buckets[series]["+Inf"] != n {
			names = append(names, name(series))
		}
	}
	return names
}

func none(what string, found []string) Finding {
	f := exactly(what, 0, int64(len(found)))
	if len(found) > 0 {
		f.Found += ": " + strings.Join(found, ", ")
	}
	return f
}

func incidents(what string, all []Incident) Finding {
	var names []string
	for _, i := range all {
		names = append(names, fmt.Sprintf("%s (%g)", i.What, i.Times))
	}
	return none(what, names)
}

// judgeBusiness compares what each stage shows with what the API tells while
// the world of the load is still there.
func judgeBusiness(e Evidence) (findings []Finding) {
	truth := gauges(e.Truth)
	for _, s := range e.Stages {
		for _, name := range []string{"config_applications", "config_configurations", "config_store_revision"} {
			got, ok := s.After.Gauges[name]
			f := exactly(name+" by "+s.Name, int64(truth[name]), int64(got))
			if !ok {
				f.Found, f.Verdict = "no such series", False
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// judgeTraces wants every exemplar that has a trace of ours to be of the very
// request that was sent as that trace, and at least one by each path.
func judgeTraces(e Evidence) (findings []Finding) {
	found := map[string]int{"direct": 0, "collector": 0}
	for _, x := range e.Exemplars {
		sent, ours := e.Book.Traces[x.Trace]
		if !ours {
			continue
		}
		found[x.Via]++
		if x.Series != sent {
			findings = append(findings, Finding{
				What: "exemplar with trace " + x.Trace, Expected: name(sent), Found: name(x.Series), Tolerance: "the same request", Verdict: False,
			})
		}
	}
	for _, via := range []string{"direct", "collector"} {
		findings = append(findings, some("exemplars of requests sent as sampled, by the path "+via, found[via], len(e.Book.Traces)))
	}
	return findings
}

func some(what string, found, sent int) Finding {
	f := Finding{What: what, Expected: "at least 1", Found: fmt.Sprintf("%d, of %d sampled requests", found, sent), Tolerance: "≥ 1", Verdict: True}
	switch {
	case sent == 0:
		f.Found, f.Verdict = "no request was sent as sampled; --sampled is too low for so few", Unchecked
	case found == 0:
		f.Verdict = False
	}
	return f
}
