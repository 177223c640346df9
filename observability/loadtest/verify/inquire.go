package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// inquire asks Prometheus about the time of the run.
func (o *Observer) inquire(ctx context.Context, e *Evidence) error {
	w := window{o.prom, e.Looked, e.Settled}
	for _, ask := range []func(context.Context, *Evidence) error{w.resets, w.down, w.troubles, w.cpu, w.exemplars} {
		if err := ask(ctx, e); err != nil {
			return err
		}
	}
	return o.lookAtPanels(ctx, e)
}

// A window is a time about which Prometheus is asked.
type window struct {
	prom     promQL
	from, to time.Time
}

// margin reaches back to the last sample before the window.
const margin = 10 * time.Second

func (w window) raw(ctx context.Context, selector string) ([]track, error) {
	return w.prom.raw(ctx, selector, w.to, w.to.Sub(w.from)+margin)
}

// resets finds counters of requests that went back: a restart that nobody
// planned, or two sources that are taken for one.
func (w window) resets(ctx context.Context, e *Evidence) error {
	tracks, err := w.raw(ctx, fmt.Sprintf(`%s_count{%s}`, duration, ours))
	for _, t := range tracks {
		n := 0
		for i := 1; i < len(t.points); i++ {
			if t.points[i].value < t.points[i-1].value && t.points[i].at.After(w.from) {
				n++
			}
		}
		e.Resets = addIncident(e.Resets, "the counter of "+describe(t.labels)+" went back", float64(n))
	}
	return err
}

func describe(labels map[string]string) string {
	return fmt.Sprintf("%s %s %s by the path %s", labels["http_request_method"], labels["http_route"], labels["http_response_status_code"], labels["via"])
}

func (w window) down(ctx context.Context, e *Evidence) error {
	tracks, err := w.raw(ctx, `up{job=~"config-service|otel-collector.*"}`)
	for _, t := range tracks {
		n := 0
		for _, p := range t.points {
			if p.value == 0 && p.at.After(w.from) {
				n++
			}
		}
		e.Down = addIncident(e.Down, "a scrape of the job "+t.labels["job"]+" failed", float64(n))
	}
	if err == nil && len(tracks) == 0 {
		e.Down = addIncident(e.Down, "Prometheus has no target of the jobs config-service and otel-collector", 1)
	}
	return err
}

// troubles finds what the Collector counts when data does not get through. A
// counter that is born in the window began at 0.
func (w window) troubles(ctx context.Context, e *Evidence) error {
	tracks, err := w.raw(ctx, `{__name__=~"otelcol_(receiver_(refused|failed)|exporter_(send|enqueue)_failed|processor_(refused|dropped)|processor_.*_refused)_.+",job="otel-collector"}`)
	for _, t := range tracks {
		var start float64
		if first := t.points[0]; !first.at.After(w.from) {
			start = first.value
		}
		e.Troubles = addIncident(e.Troubles, t.labels["__name__"]+" "+t.labels["receiver"]+t.labels["exporter"]+t.labels["processor"], t.last().value-start)
	}
	return err
}

func addIncident(all []Incident, what string, times float64) []Incident {
	if times == 0 {
		return all
	}
	all = append(all, Incident{strings.TrimSpace(what), times})
	slices.SortFunc(all, func(a, b Incident) int { return strings.Compare(a.What, b.What) })
	return all
}

// CPU is what the service used as it tells itself and as its control group does.
type CPU struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Process   float64   `json:"process"`   // seconds
	Container float64   `json:"container"` // seconds
	Missing   string    `json:"missing"`   // why there is nothing, or empty
}

func (w window) cpu(ctx context.Context, e *Evidence) error {
	process, err := w.raw(ctx, `process_cpu_time_seconds_total{via="direct",`+ours+`}`)
	if err != nil {
		return err
	}
	container, err := w.raw(ctx, `container_cpu_usage_seconds_total{name=~".*config-service.*"}`)
	e.CPU = compareCPU(process, container)
	return err
}

// compareCPU compares over the longest time in which both have samples; between
// two samples a counter grows evenly.
func compareCPU(process, container []track) CPU {
	if len(process) == 0 {
		return CPU{Missing: "Prometheus has no process_cpu_time_seconds_total of the service"}
	}
	if len(container) == 0 {
		return CPU{Missing: "Prometheus has no container_cpu_usage_seconds_total of the service: cAdvisor does not see its control group"}
	}
	var from, to time.Time
	for _, t := range append(slices.Clone(process), container...) {
		if from.IsZero() || t.points[0].at.After(from) {
			from = t.points[0].at
		}
		if to.IsZero() || t.last().at.Before(to) {
			to = t.last().at
		}
	}
	if !to.After(from) {
		return CPU{Missing: "Prometheus has too few samples of CPU in the time of the run"}
	}
	return CPU{From: from, To: to, Process: used(process, from, to), Container: used(container, from, to)}
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

// PoolWaits returns how many requests since Begin waited for a connection of the
// database for longer than taking one takes: 100 µs.
func (o *Observer) PoolWaits(ctx context.Context) (waits float64, err error) {
	w := window{o.prom, o.looked, time.Now()}
	const metric = `db_client_connection_wait_time_seconds`
	for suffix, sign := range map[string]float64{`_count{`: 1, `_bucket{le="0.0001",`: -1} {
		tracks, err := w.raw(ctx, metric+suffix+ours+`,via="direct"}`)
		if err != nil {
			return 0, err
		}
		for _, t := range tracks {
			var start float64
			if first := t.points[0]; !first.at.After(w.from) {
				start = first.value
			}
			waits += sign * (t.last().value - start)
		}
	}
	return waits, nil
}
