package verify

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A sample is one value of one series, as every stage of the pipeline shows it.
type sample struct {
	name   string
	labels map[string]string
	value  float64
	at     time.Time // zero where the page does not tell
}

// scrape reads a page of metrics in Prometheus's text format.
func scrape(ctx context.Context, client *http.Client, url string) ([]sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return parse(resp.Body)
}

func parse(text io.Reader) ([]sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return nil, err
	}
	var all []sample
	for name, family := range families {
		for _, m := range family.Metric {
			all = append(all, flatten(name, m)...)
		}
	}
	return all, nil
}

// flatten returns a metric as the series that Prometheus makes of it.
func flatten(name string, m *dto.Metric) []sample {
	labels := map[string]string{}
	for _, l := range m.Label {
		labels[l.GetName()] = l.GetValue()
	}
	one := func(suffix string, value float64) sample {
		return sample{name: name + suffix, labels: labels, value: value}
	}
	switch {
	case m.Counter != nil:
		return []sample{one("", m.Counter.GetValue())}
	case m.Gauge != nil:
		return []sample{one("", m.Gauge.GetValue())}
	case m.Histogram != nil:
		all := []sample{one("_count", float64(m.Histogram.GetSampleCount())), one("_sum", m.Histogram.GetSampleSum())}
		for _, b := range m.Histogram.Bucket {
			all = append(all, sample{name: name + "_bucket", labels: with(labels, "le", bound(b.GetUpperBound())), value: float64(b.GetCumulativeCount())})
		}
		return all
	}
	return []sample{one("", m.GetUntyped().GetValue())}
}

func with(labels map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for n, v := range labels {
		all[n] = v
	}
	return all
}

// bound is how Prometheus writes the upper bound of a bucket.
func bound(b float64) string {
	if math.IsInf(b, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(b, 'g', -1, 64)
}
