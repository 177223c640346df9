package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// inquire asks Prometheus about the time of the run.
func (o *Observer) inquire(ctx context.Context, e *Evidence) error {
	w := window{o.prom, e.Looked, e.Settled}
	for _, ask := range []func(context.Context, *Evidence) error{w.resets, w.down, w.troubles, w.exemplars, w.served} {
		if err := ask(ctx, e); err != nil {
			return err
		}
	}
	return errors.Join(o.lookAtCPU(ctx, e), o.lookAtPanels(ctx, e))
}

// A window is a time about which Prometheus is asked.
type window struct {
	prom     promQL
	from, to time.Time
}

// margin reaches back to samples before the window.
const margin = 15 * time.Second

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

// troubles finds what the Collector counts when data does not get through.
func (w window) troubles(ctx context.Context, e *Evidence) error {
	tracks, err := w.raw(ctx, `{__name__=~"otelcol_(receiver_(refused|failed)|exporter_(send|enqueue)_failed|processor_(refused|dropped)|processor_.*_refused)_.+",job="otel-collector"}`)
	for _, t := range tracks {
		e.Troubles = addIncident(e.Troubles, t.labels["__name__"]+" "+t.labels["receiver"]+t.labels["exporter"]+t.labels["processor"], t.addedSince(w.from))
	}
	return err
}

// addedSince is how much a counter has gained since its last sample before the
// moment. One that was not there yet, or begins anew, began at 0.
func (t track) addedSince(moment time.Time) (gained float64) {
	var last float64
	for _, p := range t.points {
		if p.value < last {
			last = 0
		}
		if p.at.After(moment) {
			gained += p.value - last
		}
		last = p.value
	}
	return gained
}

func addIncident(all []Incident, what string, times float64) []Incident {
	if times == 0 {
		return all
	}
	all = append(all, Incident{strings.TrimSpace(what), times})
	slices.SortFunc(all, func(a, b Incident) int { return strings.Compare(a.What, b.What) })
	return all
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
			waits += sign * t.addedSince(w.from)
		}
	}
	return waits, nil
}
