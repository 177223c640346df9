package verify

import (
	"math"
	"strings"
	"testing"
	"time"

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

func TestCPUIsComparedOverDifferentTimes(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	series := func(start, step, rate float64, n int) (tr track) {
		for i := range n {
			s := start + float64(i)*step
			tr.points = append(tr.points, point{at(s), rate * s})
		}
		return tr
	}
	// Two modes of the process, and a group that is read at other moments.
	c := compareCPU([]track{series(0, 5, .3, 10), series(0, 5, .2, 10)}, []track{series(2.5, 4, .5, 10)})
	if c.Missing != "" || math.Abs(c.Process-c.Container) > 1e-9 || c.Process == 0 {
		t.Errorf("%+v, want the same", c)
	}
	if c := compareCPU(nil, nil); c.Missing == "" {
		t.Errorf("%+v, want to hear that nothing is there", c)
	}
	if c := compareCPU([]track{series(0, 5, .3, 1)}, []track{series(20, 5, .3, 1)}); c.Missing == "" {
		t.Errorf("%+v, want to hear that they have no time in common", c)
	}
}
