package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/observability/loadtest/target"
)

func TestPageIsReadInAnotherWayThanPrometheusReadsIt(t *testing.T) {
	samples, err := parse(strings.NewReader(`# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",http_route="/a",le="0.1"} 2
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",http_route="/a",le="1.0"} 3
http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",http_route="/a",le="+Inf"} 4
http_server_request_duration_seconds_sum{http_request_method="GET",http_response_status_code="200",http_route="/a"} 1.5
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/a"} 4
# TYPE config_applications gauge
config_applications 7
# TYPE config_configurations gauge
config_configurations NaN
`))
	if err != nil {
		t.Fatal(err)
	}
	s := Snapshot{Counts: map[target.Series]int64{}, Buckets: Buckets{}, Gauges: map[string]float64{}}
	for _, x := range samples {
		s.add(x)
	}
	a := target.Series{Method: "GET", Route: "/a", Status: "200"}
	if s.Counts[a] != 4 || s.Buckets[a]["0.1"] != 2 || s.Buckets[a]["1"] != 3 || s.Buckets[a]["+Inf"] != 4 {
		t.Errorf("%+v", s)
	}
	if _, there := s.Gauges["config_configurations"]; there || s.Gauges["config_applications"] != 7 {
		t.Errorf("gauges are %v", s.Gauges)
	}
}

func TestWhatACounterHadBeforeTheRunIsOfTheRun(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	for _, c := range []struct {
		since int64
		want  float64
	}{{0, 11}, {2, 7}, {4, 5}, {6, 2}, {9, 0}} { // at 7 it begins anew
		counter := track{points: []point{{at(1), 4}, {at(3), 6}, {at(5), 9}, {at(7), 2}}}
		if got := counter.addedSince(at(c.since)); got != c.want {
			t.Errorf("since %d it gained %g, want %g", c.since, got, c.want)
		}
	}
}

func TestRateOfWhatWasServedHasHoles(t *testing.T) {
	old := track{points: []point{{time.Unix(0, 0), 100}, {time.Unix(5, 0), 100}, {time.Unix(10, 0), 150}, {time.Unix(15, 0), 150}}}
	born := track{points: []point{{time.Unix(10, 0), 50}, {time.Unix(15, 0), 60}}}
	want := []Served{{time.Unix(5, 0), 0}, {time.Unix(10, 0), 20}, {time.Unix(15, 0), 2}}
	if diff := cmp.Diff(want, servedBy([]track{old, born})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
