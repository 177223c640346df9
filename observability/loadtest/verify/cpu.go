package verify

import (
	"context"
	"slices"
	"time"
)

// CPU is what the service used as it tells itself and as its control group does.
type CPU struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Process   float64   `json:"process"`   // seconds
	Container float64   `json:"container"` // seconds
	Missing   string    `json:"missing"`   // why there is nothing, or empty
}

// lookAtCPU waits for samples that were taken after the load; the requests may
// all be in Prometheus before cAdvisor is scraped again.
func (o *Observer) lookAtCPU(ctx context.Context, e *Evidence) error {
	var failure error
	o.await(ctx, func() bool {
		w := window{o.prom, e.Looked, o.until(e)}
		var process, container []track
		if process, failure = w.raw(ctx, `process_cpu_time_seconds_total{via="direct",`+ours+`}`); failure == nil {
			container, failure = w.raw(ctx, `container_cpu_usage_seconds_total{name=~".*config-service.*"}`)
		}
		e.CPU = compareCPU(process, container, e.Looked, e.Load.Stopped)
		return failure != nil || e.CPU.Missing != tooEarly
	})
	return failure
}

const tooEarly = "Prometheus has no samples of CPU from before the run, or too few from after the load"

// compareCPU compares from a moment before the load, at which both figures are
// known, to one after it. At both ends there is no load, so what is interpolated
// there, between samples that were taken at different moments, is next to nothing.
func compareCPU(process, container []track, began, ended time.Time) CPU {
	process, container = alive(process, began), alive(container, began)
	if len(process) == 0 {
		return CPU{Missing: "Prometheus has no process_cpu_time_seconds_total of the service"}
	}
	if len(container) == 0 {
		return CPU{Missing: "Prometheus has no container_cpu_usage_seconds_total of the service: cAdvisor does not see its control group"}
	}
	all := slices.Concat(process, container)
	c := CPU{From: began, To: ended}
	for _, t := range all {
		before, after := t.around(began, ended)
		if before.IsZero() || after.IsZero() {
			return CPU{Missing: tooEarly}
		}
		c.From, c.To = earlier(c.From, before), later(c.To, after)
	}
	for _, t := range all { // nothing is known from before the first sample, or after the last
		c.From = later(c.From, t.points[0].at)
		if t.last().at.Before(c.To) {
			return CPU{Missing: tooEarly}
		}
	}
	c.Process, c.Container = used(process, c.From, c.To), used(container, c.From, c.To)
	return c
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// alive leaves out what ended before the moment.
func alive(tracks []track, moment time.Time) []track {
	return slices.DeleteFunc(slices.Clone(tracks), func(t track) bool { return t.last().at.Before(moment) })
}

// around returns the moments of the last sample before a time and of the first
// one after it; zero where there is none.
func (t track) around(began, ended time.Time) (before, after time.Time) {
	for _, p := range t.points {
		if !p.at.After(began) {
			before = p.at
		}
		if after.IsZero() && !p.at.Before(ended) {
			after = p.at
		}
	}
	return before, after
}

func used(tracks []track, from, to time.Time) (sum float64) {
	for _, t := range tracks {
		sum += t.valueAt(to) - t.valueAt(from)
	}
	return sum
}

// valueAt interpolates; the moment must be within the track.
func (t track) valueAt(at time.Time) float64 {
	for i, p := range t.points {
		if p.at.Before(at) {
			continue
		}
		if i == 0 || p.at.Equal(at) {
			return p.value
		}
		q := t.points[i-1]
		return q.value + (p.value-q.value)*float64(at.Sub(q.at))/float64(p.at.Sub(q.at))
	}
	return t.last().value
}
