package verify

import (
	"context"
	"fmt"

	"configservice/observability/loadtest/target"
)

// An Exemplar is one that Prometheus keeps of the durations of requests.
type Exemplar struct {
	Trace  string        `json:"trace"`
	Via    string        `json:"via"`
	Series target.Series `json:"series"`
}

func (w window) exemplars(ctx context.Context, e *Evidence) error {
	query := fmt.Sprintf(`%s_bucket{%s}`, duration, ours)
	results, err := w.prom.api.QueryExemplars(ctx, query, w.from, w.to)
	if err != nil {
		return fmt.Errorf("asking Prometheus for exemplars: %w", err)
	}
	for _, r := range results {
		l := r.SeriesLabels
		for _, x := range r.Exemplars {
			e.Exemplars = append(e.Exemplars, Exemplar{
				Trace: string(x.Labels["trace_id"]),
				Via:   string(l["via"]),
				Series: target.Series{
					Method: string(l["http_request_method"]), Route: string(l["http_route"]), Status: string(l["http_response_status_code"]),
				},
			})
		}
	}
	return nil
}
