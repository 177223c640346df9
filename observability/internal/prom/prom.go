// Package prom asks a Prometheus server over its HTTP API, and reads queries with that server's
// own parser, so that Prometheus need not be linked.
package prom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A Client asks the server at URL, such as http://127.0.0.1:9090.
type Client struct{ URL string }

// A Sample is the newest value of one series.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Query returns what an instant query finds now. A scalar is a sample without labels.
func (c Client) Query(ctx context.Context, promQL string) ([]Sample, error) {
	var data struct {
		ResultType string
		Result     json.RawMessage
	}
	if err := c.get(ctx, "query", url.Values{"query": {promQL}}, &data); err != nil {
		return nil, fmt.Errorf("%s: %w", promQL, err)
	}
	type series struct {
		Metric map[string]string
		Value  [2]any // time, value as text
	}
	var found []series
	if data.ResultType == "scalar" {
		found = make([]series, 1)
		if err := json.Unmarshal(data.Result, &found[0].Value); err != nil {
			return nil, err
		}
	} else if err := json.Unmarshal(data.Result, &found); err != nil {
		return nil, fmt.Errorf("%s: a %s: %w", promQL, data.ResultType, err)
	}
	var samples []Sample
	for _, s := range found {
		value, err := strconv.ParseFloat(fmt.Sprint(s.Value[1]), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", promQL, err)
		}
		samples = append(samples, Sample{s.Metric, value})
	}
	return samples, nil
}

// Series returns the labels of every series that the selector matches now.
func (c Client) Series(ctx context.Context, selector string) ([]map[string]string, error) {
	var series []map[string]string
	return series, c.get(ctx, "series", url.Values{"match[]": {selector}}, &series)
}

// Firing returns how many alerts of each name fire now.
func (c Client) Firing(ctx context.Context) (map[string]int, error) {
	var data struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	if err := c.get(ctx, "alerts", nil, &data); err != nil {
		return nil, err
	}
	firing := map[string]int{}
	for _, alert := range data.Alerts {
		if alert.State == "firing" {
			firing[alert.Labels["alertname"]]++
		}
	}
	return firing, nil
}

// Types returns the type of every metric that is scraped (counter, gauge, histogram, summary, …) by
// the name that its source gives it: of a histogram, the one without _bucket, _sum and _count.
func (c Client) Types(ctx context.Context) (map[string]string, error) {
	var metadata map[string][]struct{ Type string }
	if err := c.get(ctx, "metadata", nil, &metadata); err != nil {
		return nil, err
	}
	types := map[string]string{}
	for name, entries := range metadata {
		types[name] = entries[0].Type
	}
	return types, nil
}

// Parse returns how the server reads a query, or the error it finds in it.
func (c Client) Parse(ctx context.Context, promQL string) (*Node, error) {
	var node Node
	if err := c.get(ctx, "parse_query", url.Values{"query": {promQL}}, &node); err != nil {
		return nil, err
	}
	return &node, nil
}

// get asks for one path below /api/v1/ and decodes the data of the answer.
func (c Client) get(ctx context.Context, path string, form url.Values, data any) error {
	url := strings.TrimRight(c.URL, "/") + "/api/v1/" + path + "?" + form.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s answered %s: %w", c.URL, resp.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, data)
}
