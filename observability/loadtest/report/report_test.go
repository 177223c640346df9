package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/scenarios"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// whole is a run that has everything that a report can show.
func whole() Run {
	started := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	h := load.NewHistogram()
	for i := range 1000 {
		h.Record(time.Duration(i+1) * 10 * time.Microsecond)
	}
	took := h.Distribution()
	series := target.Series{Method: "GET", Route: "/api/v1/config/{application}/{configuration}", Status: "200"}
	histogram := verify.Snapshot{
		Counts:  target.Counts{series: 1000},
		Buckets: verify.Buckets{series: {"0.004": 500, "0.01": 1000, "+Inf": 1000}},
	}
	r := Run{
		ID: "20261125T120000Z-mixed", Scenario: scenarios.Scenario{Name: "mixed", Summary: "Everything <at once>."},
		Target: "http://localhost:8000", Grafana: "http://localhost:3001", Quick: true,
		Load:     verify.Load{Started: started, Stopped: started.Add(20 * time.Second), Totals: load.Totals{Scheduled: 1001, Completed: 1000, Failed: 1, Failures: map[string]int64{"reset": 1}}},
		Response: took, Service: took, Lateness: took, Counts: target.Counts{series: 1000}, Knee: 321,
		Propagation: &target.Propagation{Watchers: 7, Changes: 5, Took: took},
		Thresholds:  []verify.Finding{{What: "p99 from the scheduled moment", Expected: "≤ 1s", Found: "10ms", Verdict: verify.True}},
		Claims: []verify.Claim{
			{ID: "1", Says: "each request was answered", Verdict: verify.True, Findings: []verify.Finding{{What: "scheduled", Expected: "1000", Found: "1000", Verdict: verify.True}}},
			{ID: "2", Says: "each stage counts each request", Verdict: verify.False, Findings: []verify.Finding{{What: "by /metrics", Expected: "1000", Found: "999", Difference: "-1", Tolerance: "exact", Verdict: verify.False}}},
		},
	}
	r.Evidence.Book = target.Book{Counts: target.Counts{series: 1000}, Latency: took}
	for range 4 {
		r.Evidence.Stages = append(r.Evidence.Stages, verify.Stage{After: histogram})
	}
	r.Evidence.Freshness = verify.Freshness{Took: took, Direct: took, Collector: took}
	for s := range 20 {
		at := started.Add(time.Duration(s) * time.Second)
		r.Points = append(r.Points, load.Point{At: time.Duration(s+1) * time.Second, Scheduled: 50, Completed: 50, P50: time.Millisecond, P99: 5 * time.Millisecond})
		r.Evidence.Served = append(r.Evidence.Served, verify.Served{At: at, Rate: 50})
		r.Evidence.Panels.Rate.Shown = append(r.Evidence.Panels.Rate.Shown, verify.Shown{At: at, Client: 40, Panel: 41})
	}
	return r
}

func pageOf(t *testing.T, r Run) string {
	t.Helper()
	text, err := r.html()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPartOfTheReportIsMissing(t *testing.T) {
	page := pageOf(t, whole())
	for _, part := range []string{
		"Load test: mixed, short form", "Everything &lt;at once&gt;.", "20261125T120000Z-mixed on http://localhost:8000, from 2026-11-25T12:00:00Z for 20s",
		"What the telemetry tells is not what happened. False: claim 2",
		"requests answered, of 1001 scheduled", "<b>50/s</b>", "from a request to Prometheus, 95th percentile",
		"http://localhost:3001/d/load-test?from=1795607940000&amp;to=1795608080000", "/d/configuration-service?", "/d/container-metrics?", "/d/telemetry-pipeline?", "/d/slo?",
		`href="#claim-2"`, `<td class="verdict false">false</td>`, `<details id="claim-1"><summary`, `<details id="claim-2" open>`, "<td>-1</td>", "<td>exact</td>",
		"<h2>Rate</h2>", "counted by the service", "<h2>The load on the dashboard</h2>", "<h2>Latency over time</h2>", "<h2>Distribution of latencies</h2>", "<h2>Client against service</h2>",
		"<h2>The load</h2>", "failed: reset", "<td>321</td>", "<h2>Latency</h2>", "<h2>From a request to its being in Prometheus</h2>", "<h2>Changes at the watchers</h2>",
		"<h2>Thresholds of the scenario</h2>", "<h2>Answers</h2>",
		"prefers-color-scheme: dark", `name="viewport"`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("there is no %s", part)
		}
	}
	markdown := whole().markdown()
	for _, part := range []string{"# Load test: mixed", "False: claim 2", "| 2 | each stage counts each request | false |", "## Claim 2: false", "## Latency", "## Answers", "[slo](http://localhost:3001/d/slo?"} {
		if !strings.Contains(markdown, part) {
			t.Errorf("report.md has no %s", part)
		}
	}
}

func TestReportNeedsAnotherFile(t *testing.T) {
	page := pageOf(t, whole())
	if loads := regexp.MustCompile(`(?i)(<link|<img|<iframe|src=|@import|url\(|fetch\()[^>]*`).FindString(page); loads != "" {
		t.Errorf("it loads %s", loads)
	}
}

func TestChartIsNoPicture(t *testing.T) {
	charts := whole().charts()
	if len(charts) != 5 {
		t.Fatalf("%d charts, want 5", len(charts))
	}
	for _, c := range charts {
		text := string(c.SVG)
		decoder := xml.NewDecoder(strings.NewReader(text))
		for err := error(nil); !errors.Is(err, io.EOF); {
			if _, err = decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
				t.Fatalf("%s: %v", c.Title, err)
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s is drawn with what is no number", c.Title)
		}
		for _, s := range c.Series {
			if n := strings.Count(text, "<title>"+s.Name); n != len(s.X) || n == 0 {
				t.Errorf("%s: %d values of %q can be read, want %d", c.Title, n, s.Name, len(s.X))
			}
		}
	}
}

func TestRunWithoutAnythingHasNoReport(t *testing.T) {
	started := time.Now()
	empty := Run{ID: "x", Load: verify.Load{Started: started, Stopped: started}}
	page := pageOf(t, empty)
	if strings.Contains(page, "<svg") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
		t.Errorf("it shows what there is not:\n%s", page)
	}
	if _, text := empty.summary(); !strings.Contains(text, "nothing else was verified") {
		t.Errorf("its summary is %q", text)
	}
}

func TestReportIsLostOnTheWayToItsFiles(t *testing.T) {
	want := whole()
	dir := t.TempDir()
	path, err := want.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(strings.TrimSuffix(path, "/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	a, err1 := want.html()
	b, err2 := got.html()
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the report of what was read is another one (%v)", err)
	}
}

func TestAxisEndsBelowItsHighestValueOrFarAboveIt(t *testing.T) {
	for _, highest := range []float64{0, .003, .9, 1, 7, 41, 120, 1999, 1e6} {
		got := steps(highest)
		if end := got[len(got)-1]; got[0] != 0 || end < highest || end > 2*max(highest, 1) && highest > .5 || len(got) > 7 {
			t.Errorf("up to %g: %v", highest, got)
		}
	}
}
