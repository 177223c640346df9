package verify

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"configservice/observability/loadtest/target"
)

// The stages of the pipeline, each of which must tell what happened.
const (
	stageService   = "/metrics of the service"
	stageCollector = "the Collector's exporter"
	stageDirect    = "Prometheus, direct path"
	stageByOTLP    = "Prometheus, Collector path"
)

// A stage is one place where the service's metrics can be read. A page tells
// what is now; Prometheus what was at a time.
type stage struct {
	name  string
	keeps bool // what was
	read  func(ctx context.Context, at time.Time) ([]sample, error)
}

// lookback is how old a sample of Prometheus may be to be the current one. A
// series that was not scraped for so long is gone.
const lookback = time.Minute

const ours = `job="config-service"`

// selected are the metrics that a snapshot holds.
const selected = `http_server_request_duration_seconds_(bucket|count)|config_(applications|configurations|store_revision|telemetry_errors_total)`

func stages(e Endpoints, client *http.Client, p promQL) []stage {
	page := func(url string, keep func(sample) bool) func(context.Context, time.Time) ([]sample, error) {
		return func(ctx context.Context, _ time.Time) ([]sample, error) {
			all, err := scrape(ctx, client, url)
			var kept []sample
			for _, s := range all {
				if keep(s) {
					kept = append(kept, s)
				}
			}
			return kept, err
		}
	}
	query := func(via string) func(context.Context, time.Time) ([]sample, error) {
		selector := fmt.Sprintf(`{__name__=~%q,%s,via=%q}`, selected, ours, via)
		return func(ctx context.Context, at time.Time) ([]sample, error) {
			return p.latest(ctx, selector, at, lookback)
		}
	}
	return []stage{
		{stageService, false, page(e.Metrics, func(sample) bool { return true })},
		{stageCollector, false, page(e.Collector, func(s sample) bool { return s.labels["job"] == "config-service" })},
		{stageDirect, true, query("direct")},
		{stageByOTLP, true, query("collector")},
	}
}

// A Snapshot is what one stage tells at one moment.
type Snapshot struct {
	Counts   target.Counts      `json:"counts"`
	Buckets  Buckets            `json:"buckets"`
	Gauges   map[string]float64 `json:"gauges"`   // business gauges by name
	Overflow []string           `json:"overflow"` // series that gather what did not fit
	Errors   float64            `json:"errors"`   // that the SDK reported
	Newest   time.Time          `json:"newest"`   // of the samples, where they have a time
	Missing  string             `json:"missing"`  // why there is nothing, or empty
}

// Buckets are cumulative counts by series and upper bound as it is written.
type Buckets map[target.Series]map[string]int64

const duration = "http_server_request_duration_seconds"

// snapshot never fails: a stage that cannot be read says so in the snapshot.
func (st stage) snapshot(ctx context.Context, at time.Time) Snapshot {
	samples, err := st.read(ctx, at)
	s := Snapshot{Counts: target.Counts{}, Buckets: Buckets{}, Gauges: map[string]float64{}}
	if err != nil {
		s.Missing = err.Error()
	}
	for _, x := range samples {
		s.add(x)
	}
	return s
}

func (s *Snapshot) add(x sample) {
	if x.labels["otel_metric_overflow"] == "true" {
		s.Overflow = append(s.Overflow, x.name)
	}
	if x.at.After(s.Newest) {
		s.Newest = x.at
	}
	of := target.Series{Method: x.labels["http_request_method"], Route: x.labels["http_route"], Status: x.labels["http_response_status_code"]}
	switch x.name {
	case duration + "_count":
		s.Counts[of] += int64(x.value)
	case duration + "_bucket":
		if s.Buckets[of] == nil {
			s.Buckets[of] = map[string]int64{}
		}
		s.Buckets[of][canonical(x.labels["le"])] += int64(x.value)
	case "config_applications", "config_configurations", "config_store_revision":
		if !math.IsNaN(x.value) && !math.IsInf(x.value, 0) { // JSON has neither
			s.Gauges[x.name] += x.value
		}
	case "config_telemetry_errors_total":
		s.Errors += x.value
	}
}

// canonical makes one spelling of the spellings of a bound: 1 and 1.0.
func canonical(le string) string {
	b, err := strconv.ParseFloat(le, 64)
	if err != nil {
		return le
	}
	return bound(b)
}

// minus returns what was added since before.
func (s Snapshot) minus(before Snapshot) target.Counts {
	added := target.Counts{}
	for series, n := range s.Counts {
		if d := n - before.Counts[series]; d != 0 {
			added[series] = d
		}
	}
	for series, n := range before.Counts {
		if _, still := s.Counts[series]; !still {
			added[series] = -n
		}
	}
	return added
}
