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
	if e.Book.Failures > 0 && worst(findings) == False {
		findings = append(findings, missing("requests that failed", fmt.Sprintf("%d requests got no answer; the service may have counted them", e.Book.Failures)))
	}
	return findings
}
