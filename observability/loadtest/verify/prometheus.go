package verify

import (
	"context"
	"fmt"
	"net/http"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// A promQL asks one Prometheus.
type promQL struct{ api promv1.API }

func newPromQL(url string, client *http.Client) (promQL, error) {
	c, err := promapi.NewClient(promapi.Config{Address: url, Client: client})
	if err != nil {
		return promQL{}, err
	}
	return promQL{promv1.NewAPI(c)}, nil
}

// A track is the raw samples of one series, oldest first.
type track struct {
	labels map[string]string
	points []point
}

type point struct {
	at    time.Time
	value float64
}

func (t track) last() point { return t.points[len(t.points)-1] }

// raw returns the samples of a selector in the window that ends at end, as they
// were scraped: nothing is extrapolated. Every track has a sample.
func (p promQL) raw(ctx context.Context, selector string, end time.Time, window time.Duration) ([]track, error) {
	query := fmt.Sprintf("%s[%dms]", selector, max(window.Milliseconds(), 1))
	value, _, _, err := p.api.Query(ctx, query, end)
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", query, err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("asking Prometheus for %s: got a %s", query, value.Type())
	}
	return tracks(matrix), nil
}

func tracks(matrix model.Matrix) (all []track) {
	for _, stream := range matrix {
		t := track{labels: map[string]string{}}
		for name, value := range stream.Metric {
			t.labels[string(name)] = string(value)
		}
		for _, v := range stream.Values {
			t.points = append(t.points, point{v.Timestamp.Time(), float64(v.Value)})
		}
		if len(t.points) > 0 {
			all = append(all, t)
		}
	}
	return all
}

// latest returns what the newest scrape of each target has of a selector. A
// series that the scrape no longer has is gone, also where Prometheus was away
// and could not notice.
func (p promQL) latest(ctx context.Context, selector string, end time.Time, window time.Duration) ([]sample, error) {
	all, err := p.raw(ctx, selector, end, window)
	newest := map[string]time.Time{}
	for _, t := range all {
		if of := t.target(); t.last().at.After(newest[of]) {
			newest[of] = t.last().at
		}
	}
	var current []sample
	for _, t := range all {
		if t.last().at.Equal(newest[t.target()]) {
			current = append(current, sample{name: t.labels["__name__"], labels: t.labels, value: t.last().value, at: t.last().at})
		}
	}
	return current, err
}

// target tells apart what is scraped by itself.
func (t track) target() string {
	return t.labels["job"] + " " + t.labels["instance"] + " " + t.labels["via"]
}
