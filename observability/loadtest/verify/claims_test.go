package verify

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/target"
)

var (
	read  = target.Series{Method: "GET", Route: "/api/v1/config/{application}/{configuration}", Status: "200"}
	write = target.Series{Method: "PATCH", Route: "/api/v1/configurations/{id}", Status: "200"}
)

// truthful is the evidence of a run of which the telemetry tells the truth: 900
// reads and 100 writes that took the client 0.3 ms, and the service 0.2 ms.
func truthful() Evidence {
	began := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	e := Evidence{
		Began: began, Looked: at(1), Agreed: true, Settled: at(100),
		Load: Load{
			Started: at(2), Stopped: at(92), Planned: 1003, Steady: Steady{at(2), at(92)},
			Totals: load.Totals{Scheduled: 1003, Completed: 1000, Failed: 2, NotStarted: 1},
		},
		Book: target.Book{
			Counts:  target.Counts{read: 900, write: 100},
			Traces:  map[string]target.Series{"a": read, "b": write},
			Latency: load.Distribution{P50: 300 * time.Microsecond, P95: 300 * time.Microsecond, P99: 300 * time.Microsecond},
		},
		Truth: target.Totals{Applications: 3, Configurations: 20, Revision: 120},
		Freshness: Freshness{
			Took:      load.Distribution{Count: 20, P95: 7 * time.Second},
			Direct:    load.Distribution{Count: 20, P95: 5 * time.Second},
			Collector: load.Distribution{Count: 20, P95: 7 * time.Second},
			Empty:     empties(1000, 0),
		},
		CPU:       CPU{Process: 2.05, Container: 2},
		Exemplars: []Exemplar{{"a", "direct", read}, {"b", "collector", write}, {"of somebody else", "direct", write}},
		Panels:    Panels{All: []Panel{{Title: "full", Series: 2}, {Title: "excused", Reason: "needs Docker"}}, Rate: Rate{Client: 50, Panel: 50.5, Times: 3}},
	}
	for _, name := range []string{stageService, stageCollector, stageDirect, stageByOTLP} {
		e.Stages = append(e.Stages, Stage{name, snapshot(7, 3), snapshot(907, 103)})
	}
	return e
}

// empties are of requests for which the service does nothing, and which took up
// to 50 µs, or 3 ms.
func empties(quick, slow int64) load.Distribution {
	return load.Distribution{Count: quick + slow, Bars: []load.Bar{{UpTo: 50 * time.Microsecond, Count: quick}, {UpTo: 3 * time.Millisecond, Count: slow}}}
}

// snapshot is of so many reads and writes, all of them in the bucket up to 0.25 ms.
func snapshot(reads, writes int64) Snapshot {
	buckets := func(n int64) map[string]int64 {
		return map[string]int64{"0.0001": 0, "0.00016": 0, "0.00025": n, "0.0004": n, "+Inf": n}
	}
	return Snapshot{
		Counts:  target.Counts{read: reads, write: writes},
		Buckets: Buckets{read: buckets(reads), write: buckets(writes)},
		Gauges:  map[string]float64{"config_applications": 3, "config_configurations": 20, "config_store_revision": 120},
	}
}

// verdicts returns the claims that are not true, as "id verdict".
func verdicts(e Evidence) (all []string) {
	for _, c := range Judge(e, ClaimIDs()) {
		if c.Verdict != True {
			all = append(all, c.ID+" "+string(c.Verdict))
		}
	}
	return all
}

// expect fails the test unless the claims that are not true are these.
func expect(t *testing.T, what string, e Evidence, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, verdicts(e)); diff != "" {
		t.Errorf("%s: claims that are not true (-want +got)\n%s", what, diff)
	}
}

func TestTruthIsCalledFalse(t *testing.T) {
	expect(t, "the truth", truthful())
}

func TestLieIsCalledTrue(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(*Evidence)
		want []string
	}{
		{"a request got lost in the tester", func(e *Evidence) { e.Load.Totals.Completed-- }, []string{"1 false"}},
		{"a request was never scheduled", func(e *Evidence) { e.Load.Totals.Scheduled--; e.Load.Totals.Failed-- }, []string{"1 false"}},
		{"a stage counts one less", func(e *Evidence) { e.Stages[1].After.Counts[read]--; e.Stages[1].After.Buckets[read]["+Inf"]-- }, []string{"2 false"}},
		{"a stage counts one more before", func(e *Evidence) { e.Stages[3].Before.Counts[read]-- }, []string{"2 false"}},
		{"a status is another", func(e *Evidence) {
			e.Book.Counts[target.Series{Method: "GET", Route: read.Route, Status: "404"}] = 1
			e.Book.Counts[read]--
		}, []string{"2 false"}},
		{"there is traffic of others", func(e *Evidence) {
			addSeries(e, target.Series{Method: "GET", Route: "/api/v1/config/a/b", Status: "200"})
		}, []string{"2 false"}},
		{"a stage is gone", func(e *Evidence) { e.Stages[1].After = Snapshot{Missing: "refused"} }, []string{"2 false", "3 false", "7 false"}},
		{"the last bucket lacks one", func(e *Evidence) { e.Stages[0].After.Buckets[read]["+Inf"]-- }, []string{"3 false"}},
		{"a series overflowed", func(e *Evidence) { e.Stages[0].After.Overflow = []string{"x"} }, []string{"3 false"}},
		{"the SDK had an error", func(e *Evidence) { e.Stages[0].After.Errors = 1 }, []string{"3 false"}},
		{"a counter went back", func(e *Evidence) { e.Resets = []Incident{{"x", 1}} }, []string{"3 false"}},
		{"a scrape failed", func(e *Evidence) { e.Down = []Incident{{"x", 1}} }, []string{"3 false"}},
		{"the Collector dropped", func(e *Evidence) { e.Troubles = []Incident{{"x", 1}} }, []string{"3 false"}},
		{"the client is faster than the service", func(e *Evidence) { e.Book.Latency.P50 = 100 * time.Microsecond }, []string{"4 false"}},
		{"the client is two buckets slower", func(e *Evidence) { e.Book.Latency.P99 = 800 * time.Microsecond }, []string{"4 false"}},
		{"buckets are coarse", func(e *Evidence) { rebucket(e, map[string]int64{"0.1": 1, "+Inf": 1}) }, []string{"4 false"}},
		{"buckets are of milliseconds", func(e *Evidence) { rebucket(e, map[string]int64{"0.1": 0, "0.16": 0, "0.25": 1, "+Inf": 1}) }, []string{"4 false"}},
		{"there are no buckets", func(e *Evidence) { rebucket(e, nil) }, []string{"3 false", "4 false"}},
		{"a panel is empty", func(e *Evidence) { e.Panels.All[0].Series = 0 }, []string{"5 false"}},
		{"a panel of the load test is empty", func(e *Evidence) { e.Panels.All[1].Reason = "needs a running load test: make load-test" }, []string{"5 false"}},
		{"a panel is empty for a reason that does not hold", func(e *Evidence) { e.Panels.All[1].Reason = "no request yet" }, []string{"5 false"}},
		{"a query is refused", func(e *Evidence) { e.Panels.All[1].Fault = "parse error" }, []string{"5 false"}},
		{"the panel shows another rate", func(e *Evidence) { e.Panels.Rate.Panel = 51.5 }, []string{"5 false"}},
		{"the panel shows no rate", func(e *Evidence) { e.Panels.Rate = Rate{} }, []string{"5 false"}},
		{"there are no dashboards", func(e *Evidence) { e.Panels.Missing = "no such directory" }, []string{"5 unchecked"}},
		{"CPU time is another", func(e *Evidence) { e.CPU.Process = 2.3 }, []string{"6 false"}},
		{"there is no control group", func(e *Evidence) { e.CPU = CPU{Missing: "none"} }, []string{"6 unchecked"}},
		{"a gauge is old", func(e *Evidence) { e.Stages[2].After.Gauges["config_applications"] = 2 }, []string{"7 false"}},
		{"a gauge is gone", func(e *Evidence) { delete(e.Stages[2].After.Gauges, "config_store_revision") }, []string{"7 false"}},
		{"news are old", func(e *Evidence) { e.Freshness.Took.P95 = 15001 * time.Millisecond }, []string{"8 false"}},
		{"news are old by one path", func(e *Evidence) { e.Freshness.Collector.P95 = 15001 * time.Millisecond }, []string{"8 false"}},
		{"a probe never came", func(e *Evidence) { e.Freshness.Unseen = 1 }, []string{"8 false"}},
		{"there was no probe", func(e *Evidence) { e.Freshness = Freshness{Empty: e.Freshness.Empty} }, []string{"8 unchecked"}},
		{"an exemplar is of another request", func(e *Evidence) { e.Exemplars[0].Series = write }, []string{"traces false"}},
		{"a path has no exemplar", func(e *Evidence) { e.Exemplars = e.Exemplars[:1] }, []string{"traces false"}},
		{"nothing was sampled", func(e *Evidence) { e.Book.Traces, e.Exemplars = nil, nil }, []string{"traces unchecked"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := truthful()
			c.lie(&e)
			expect(t, c.name, e, c.want...)
		})
	}
}

func addSeries(e *Evidence, s target.Series) {
	for i := range e.Stages {
		e.Stages[i].After.Counts[s] = 1
		e.Stages[i].After.Buckets[s] = map[string]int64{"+Inf": 1}
	}
}

// rebucket puts all requests of the direct path into these buckets.
func rebucket(e *Evidence, share map[string]int64) {
	for _, s := range []*Snapshot{&e.Stages[directStage].Before, &e.Stages[directStage].After} {
		for series, n := range s.Counts {
			s.Buckets[series] = map[string]int64{}
			for le, x := range share {
				s.Buckets[series][le] = x * n
			}
		}
	}
}

func TestTesterThatIsShortOfCPUBlamesTheService(t *testing.T) {
	e := truthful()
	e.Load.Totals.SentLate = 50
	e.Book.Latency.P99 = 50 * time.Millisecond
	expect(t, "a client that waits for a processor", e)
	e.Book.Latency.P50 = 10 * time.Microsecond
	expect(t, "a client that is faster than the service", e, "4 false")
}

// One request in twenty is slow on the way, and never slow in the service.
func TestWayThatIsSlowNowAndThenIsBlamedOnTheService(t *testing.T) {
	e := truthful()
	e.Freshness.Empty = empties(950, 50)
	e.Book.Latency.P99 = 3300 * time.Microsecond
	expect(t, "a p99 that is as slow as the way", e)
	e.Book.Latency.P95 = 3500 * time.Microsecond
	expect(t, "a client that is slower than both together", e, "4 false")
}

// That none of some hundred requests was slow on the way does not tell that one
// in two hundred is not.
func TestTooFewRequestsThatDoNothingBlameTheService(t *testing.T) {
	e := truthful()
	e.Freshness.Empty = empties(300, 0)
	e.Book.Latency.P99 = 3300 * time.Microsecond
	expect(t, "a p99 of which too few tell", e)
	e.Book.Latency.P95 = 3300 * time.Microsecond
	expect(t, "a p95 of which they do tell", e, "4 false")
}

func TestEvidenceDoesNotSurviveItsFile(t *testing.T) {
	want := truthful()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Evidence
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fmt.Sprint(Judge(want, ClaimIDs())), fmt.Sprint(Judge(got, ClaimIDs()))); diff != "" {
		t.Errorf("it is judged in another way:\n%s", diff)
	}
	if diff := cmp.Diff(want.Book, got.Book); diff != "" {
		t.Error(diff)
	}
}
