package verify

import (
	"fmt"
	"slices"
)

// A Verdict is what became of a claim.
type Verdict string

// Verdicts, from good to bad.
const (
	True      Verdict = "true"
	NotAsked  Verdict = "not asked" // this run cannot tell, and need not
	Unchecked Verdict = "unchecked" // the evidence is missing
	False     Verdict = "false"
)

// A Finding is one comparison under a claim.
type Finding struct {
	What       string  `json:"what"`
	Expected   string  `json:"expected"`
	Found      string  `json:"found"`
	Difference string  `json:"difference"`
	Tolerance  string  `json:"tolerance"`
	Verdict    Verdict `json:"verdict"`
}

// A Claim is a statement about the telemetry, judged.
type Claim struct {
	ID       string    `json:"id"`
	Says     string    `json:"says"`
	Verdict  Verdict   `json:"verdict"`
	Findings []Finding `json:"findings"`
}

// claims is the table of what is claimed and how it is judged. The numbers are
// those under which the project knows the claims.
func claims() []struct {
	id, says string
	judge    func(Evidence) []Finding
} {
	return []struct {
		id, says string
		judge    func(Evidence) []Finding
	}{
		{"1", "each scheduled request was answered, failed or was not started", judgeBooks},
		{"2", "each stage counts each request once, under its method, route and status", judgeCounts},
		{"3", "nothing was lost, folded together or counted anew on the way", judgeIntegrity},
		{"4", "latencies as the service tells them are those that clients see", judgeLatency},
		{"5", "each panel of each dashboard has data, and shows the rate that there was", judgePanels},
		{"6", "the service's own CPU time is that of its control group", judgeCPU},
		{"7", "the gauges of the business are what the API tells", judgeBusiness},
		{"8", "a request is in Prometheus within 15 s", judgeFreshness},
		{"traces", "the exemplar of a sampled request leads to that request", judgeTraces},
	}
}

// ClaimIDs returns the claims that there are.
func ClaimIDs() (ids []string) {
	for _, c := range claims() {
		ids = append(ids, c.id)
	}
	return ids
}

// Judge holds evidence against the claims of these ids.
func Judge(e Evidence, ids []string) (judged []Claim) {
	for _, c := range claims() {
		if !slices.Contains(ids, c.id) {
			continue
		}
		findings := c.judge(e)
		judged = append(judged, Claim{c.id, c.says, worst(findings), findings})
	}
	return judged
}

func worst(findings []Finding) Verdict {
	verdict := True
	for _, f := range findings {
		if f.Verdict == False || f.Verdict == Unchecked && verdict == True {
			verdict = f.Verdict
		}
	}
	return verdict
}

// exactly is a finding about two numbers that must be equal.
func exactly(what string, expected, found int64) Finding {
	f := Finding{
		What: what, Expected: fmt.Sprint(expected), Found: fmt.Sprint(found),
		Difference: fmt.Sprintf("%+d", found-expected), Tolerance: "exact", Verdict: True,
	}
	if expected != found {
		f.Verdict = False
	}
	return f
}

// missing is a finding that cannot be made.
func missing(what, why string) Finding {
	return Finding{What: what, Found: why, Verdict: Unchecked}
}
