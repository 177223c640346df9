package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"configservice/observability/loadtest/verify"
)

//go:embed page.html
var page string

// html returns a page that needs no other file and no network.
func (r Run) html() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{"verdict": isVerdict}).Parse(page)
	if err != nil {
		return nil, err
	}
	word, verdict := r.summary()
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Title": r.title(), "Summary": r.Scenario.Summary, "Subtitle": r.subtitle(), "Links": r.links(),
		"Word": word, "Verdict": verdict, "Figures": r.figures(),
		"Claims": r.claimTables(), "Charts": r.charts(), "Facts": r.factTables(),
	})
	return b.Bytes(), err
}

// summary is what became of the run, as a verdict and as a sentence.
func (r Run) summary() (word verify.Verdict, text string) {
	var bad, unchecked []string
	for _, c := range r.Claims {
		switch c.Verdict {
		case verify.False:
			bad = append(bad, c.ID)
		case verify.Unchecked:
			unchecked = append(unchecked, c.ID)
		}
	}
	missed := slices.ContainsFunc(r.Thresholds, func(f verify.Finding) bool { return f.Verdict == verify.False })
	switch {
	case len(bad) > 0:
		return verify.False, "What the telemetry tells is not what happened. False: claim " + strings.Join(bad, ", ")
	case len(unchecked) > 0:
		return verify.Unchecked, "Not everything could be checked. Evidence is missing for claim " + strings.Join(unchecked, ", ")
	case missed:
		return verify.False, "The service missed a threshold of the scenario"
	case len(r.Claims) == 0:
		return verify.NotAsked, "The service kept the thresholds of the scenario; nothing else was verified"
	}
	return verify.True, fmt.Sprintf("All %d claims are true: what the telemetry tells is what happened", len(r.Claims))
}

// A figure is one number with what it is.
type figure struct{ Value, What string }

// figures are those that a reader wants first.
func (r Run) figures() []figure {
	n := r.Load.Totals
	all := []figure{
		{fmt.Sprint(n.Completed), fmt.Sprintf("requests answered, of %d scheduled", n.Scheduled)},
		{perSecond(r.rate()), "answered, on average"},
		{Short(r.Response.P50), "median latency, from the scheduled moment"},
		{Short(r.Response.P99), "99th percentile of it"},
		{fmt.Sprint(n.Failed + n.Unwanted + n.NotStarted), "requests without the answer that they want"},
	}
	if f := r.Evidence.Freshness; f.Took.Count > 0 {
		all = append(all, figure{f.Took.P95.Round(100 * time.Millisecond).String(), "from a request to Prometheus, 95th percentile"})
	}
	return all
}

// isVerdict says whether a cell is one, and so has a colour.
func isVerdict(cell string) bool {
	return slices.Contains([]string{"true", "false", "unchecked", "not asked"}, cell)
}
