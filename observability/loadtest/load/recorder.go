package load

import (
	"maps"
	"sync"
	"time"
)

// Totals are counts of requests.
type Totals struct {
	Scheduled  int64            `json:"scheduled"`
	Completed  int64            `json:"completed"` // got an answer, whichever
	Failed     int64            `json:"failed"`    // got none
	NotStarted int64            `json:"not_started"`
	SentLate   int64            `json:"sent_late"`
	Unwanted   int64            `json:"unwanted"` // completed with a status that the request does not want
	Failures   map[string]int64 `json:"failures"` // failed, by kind
}

// A Point is what happened in one interval.
type Point struct {
	At        time.Duration `json:"at"` // end of the interval, from the start
	Scheduled int64         `json:"scheduled"`
	Completed int64         `json:"completed"`
	Failed    int64         `json:"failed"`
	P50       time.Duration `json:"p50"` // of responses, from the scheduled moment
	P99       time.Duration `json:"p99"`
}

// A Recorder is an Observer that keeps everything about a load but the single
// requests. It is safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	totals   Totals
	response *Histogram // from the scheduled moment
	service  *Histogram // from the sent moment
	lateness *Histogram
	interval *Histogram // responses since the last point
	last     Totals     // at the last point
	points   []Point
}

// NewRecorder returns an empty one.
func NewRecorder() *Recorder {
	return &Recorder{
		totals:   Totals{Failures: map[string]int64{}},
		response: NewHistogram(), service: NewHistogram(), lateness: NewHistogram(), interval: NewHistogram(),
	}
}

// Scheduled counts a request that is due.
func (r *Recorder) Scheduled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals.Scheduled++
}

// NotStarted counts a request that was due and never sent.
func (r *Recorder) NotStarted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals.NotStarted++
}

// Done counts a request that was sent. Times are of those that got an answer.
func (r *Recorder) Done(x Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lateness.Record(x.Lateness())
	if x.Late() {
		r.totals.SentLate++
	}
	if x.Failure != "" {
		r.totals.Failed++
		r.totals.Failures[x.Failure]++
		return
	}
	r.totals.Completed++
	if x.Unwanted {
		r.totals.Unwanted++
	}
	r.response.Record(x.Response())
	r.interval.Record(x.Response())
	r.service.Record(x.Service())
}

// Mark ends an interval and returns what happened in it.
func (r *Recorder) Mark(at time.Duration) Point {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Point{
		At:        at,
		Scheduled: r.totals.Scheduled - r.last.Scheduled,
		Completed: r.totals.Completed - r.last.Completed,
		Failed:    r.totals.Failed - r.last.Failed,
		P50:       r.interval.Quantile(.5),
		P99:       r.interval.Quantile(.99),
	}
	r.points = append(r.points, p)
	r.last = r.totals
	r.interval.Reset()
	return p
}

// Totals returns the counts so far.
func (r *Recorder) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.totals
	t.Failures = maps.Clone(t.Failures)
	return t
}

// Latency returns the distributions so far: of responses from the scheduled
// moment, of services from the sent moment, and of how late requests were sent.
func (r *Recorder) Latency() (response, service, lateness Distribution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.response.Distribution(), r.service.Distribution(), r.lateness.Distribution()
}

// Points returns the intervals marked so far.
func (r *Recorder) Points() []Point {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Point(nil), r.points...)
}
