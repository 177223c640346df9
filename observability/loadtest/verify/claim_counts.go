package verify

import (
	"fmt"
)

func judgeBooks(e Evidence) []Finding {
	t := e.Load.Totals
	return []Finding{
		exactly("requests due by the schedule = scheduled", e.Load.Planned, t.Scheduled),
		exactly("scheduled = completed + failed + not started", t.Scheduled, t.Completed+t.Failed+t.NotStarted),
	}
}

// judgeCounts has a line for each stage, and one for each series that is wrong.
func judgeCounts(e Evidence) (findings []Finding) {
	client := ofAPI(e.Book.Counts)
	for _, s := range e.Stages {
		if s.After.Missing != "" {
			findings = append(findings, Finding{
				What: "requests by " + s.Name, Expected: fmt.Sprint(total(client)), Found: s.After.Missing, Tolerance: "exact", Verdict: False,
			})
			continue
		}
		wrong := differences(client, s.added())
		all := exactly(fmt.Sprintf("requests of %d series by %s", len(client), s.Name), total(client), total(s.added()))
		if len(wrong) > 0 {
			all.Verdict = False
		}
		findings = append(findings, all)
		for _, d := range wrong {
			findings = append(findings, exactly(name(d.series)+" by "+s.Name, d.want, d.got))
		}
	}
	return append(findings, excuses(e, worst(findings))...)
}

// excuses are what may be behind counts that differ, other than a lie.
func excuses(e Evidence, verdict Verdict) (findings []Finding) {
	if verdict == True {
		return nil
	}
	if e.Book.Failures > 0 {
		findings = append(findings, Finding{What: "note", Found: fmt.Sprintf("%d requests got no answer; the service may have counted them", e.Book.Failures), Verdict: NotAsked})
	}
	if !e.Agreed {
		findings = append(findings, Finding{What: "note", Found: "the stages did not agree before the load either: somebody else may be using the service", Verdict: NotAsked})
	}
	return findings
}
