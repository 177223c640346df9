package verify

import (
	"slices"
	"strings"
	"time"

	"configservice/observability/loadtest/target"
)

// Evidence is everything that was seen of a run, by the client and at each stage
// of the pipeline. Claims are judged by nothing else.
type Evidence struct {
	Load      Load          `json:"load"`
	Began     time.Time     `json:"began"`   // when the first look began
	Looked    time.Time     `json:"looked"`  // when it ended; only then anything was done
	Agreed    bool          `json:"agreed"`  // the stages, by then
	Settled   time.Time     `json:"settled"` // the last look
	Book      target.Book   `json:"book"`    // what the client counted
	Truth     target.Totals `json:"truth"`   // what the API tells about the store
	Stages    []Stage       `json:"stages"`
	Freshness Freshness     `json:"freshness"`
	Resets    []Incident    `json:"resets"`   // counters that went back
	Down      []Incident    `json:"down"`     // scrapes that failed
	Troubles  []Incident    `json:"troubles"` // what the Collector refused, failed to send or dropped
	CPU       CPU           `json:"cpu"`
	Exemplars []Exemplar    `json:"exemplars"`
	Panels    Panels        `json:"panels"`
	Served    []Served      `json:"served"` // what the service counted, by scrape
}

// A Stage is what one place told before and after.
type Stage struct {
	Name   string   `json:"name"`
	Before Snapshot `json:"before"`
	After  Snapshot `json:"after"`
}

// added are the requests that the stage counted in the run.
func (s Stage) added() target.Counts { return ofAPI(s.After.minus(s.Before)) }

// An Incident is something that should not have happened.
type Incident struct {
	What  string  `json:"what"`
	Times float64 `json:"times"`
}

// settled says whether every stage tells what the client and the API know.
func (e Evidence) settled() bool {
	for _, s := range e.Stages {
		if s.After.Missing != "" || len(differences(ofAPI(e.Book.Counts), s.added())) > 0 {
			return false
		}
		for name, want := range gauges(e.Truth) {
			if got, ok := s.After.Gauges[name]; !ok || got != want {
				return false
			}
		}
	}
	return true
}

// gauges are the names of what the API tells as well.
func gauges(t target.Totals) map[string]float64 {
	return map[string]float64{
		"config_applications":   float64(t.Applications),
		"config_configurations": float64(t.Configurations),
		"config_store_revision": float64(t.Revision),
	}
}

// ofAPI leaves out what others ask of any service all the time: scrapes and
// health checks.
func ofAPI(counts target.Counts) target.Counts {
	kept := target.Counts{}
	for s, n := range counts {
		if !slices.Contains([]string{"/metrics", "/health", "/livez", "/readyz"}, s.Route) {
			kept[s] = n
		}
	}
	return kept
}

// A difference is a series on which two counts do not agree.
type difference struct {
	series    target.Series
	want, got int64
}

// differences returns them sorted.
func differences(want, got target.Counts) (all []difference) {
	seen := map[target.Series]bool{}
	for _, counts := range []target.Counts{want, got} {
		for s := range counts {
			if want[s] != got[s] && !seen[s] {
				seen[s] = true
				all = append(all, difference{s, want[s], got[s]})
			}
		}
	}
	slices.SortFunc(all, func(a, b difference) int {
		return strings.Compare(name(a.series), name(b.series))
	})
	return all
}

func name(s target.Series) string { return s.Method + " " + s.Route + " " + s.Status }

func total(counts target.Counts) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}
