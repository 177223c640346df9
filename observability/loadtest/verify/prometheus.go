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
		t := track{labels: labelsOf(stream.Metric)}
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
// and could not notice; so is a target that is no longer scraped.
func (p promQL) latest(ctx context.Context, selector string, end time.Time, window time.Duration) ([]sample, error) {
	all, err := p.raw(ctx, selector, end, window)
	if err != nil {
		return nil, err
	}
	living, err := p.living(ctx, selector, end)
	newest := map[string]time.Time{}
	for _, t := range all {
		if of := t.target(); t.last().at.After(newest[of]) {
			newest[of] = t.last().at
		}
	}
	var current []sample
	for _, t := range all {
		if t.last().at.Equal(newest[t.target()]) && living[model.LabelsToSignature(t.labels)] {
			current = append(current, sample{name: t.labels["__name__"], labels: t.labels, value: t.last().value, at: t.last().at})
		}
	}
	return current, err
}

func labelsOf(metric model.Metric) map[string]string {
	labels := make(map[string]string, len(metric))
	for name, value := range metric {
		labels[string(name)] = string(value)
	}
	return labels
}

// living are the series of a selector of which Prometheus does not know that
// they have ended, by signature.
func (p promQL) living(ctx context.Context, selector string, at time.Time) (map[uint64]bool, error) {
	value, _, _, err := p.api.Query(ctx, selector, at)
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", selector, err)
	}
	all := map[uint64]bool{}
	vector, _ := value.(model.Vector) // a selector has no other type
	for _, s := range vector {
		all[model.LabelsToSignature(labelsOf(s.Metric))] = true
	}
	return all, nil
}

// target tells apart what is scraped by itself.
func (t track) target() string {
	return t.labels["job"] + " " + t.labels["instance"] + " " + t.labels["via"]
}
