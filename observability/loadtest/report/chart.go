package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/go-analyze/charts"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/verify"
)

// A chart is a picture with what it shows.
type chart struct {
	Title, Note string
	SVG         template.HTML
}

const (
	chartWidth  = 560
	chartHeight = 300
	mostPoints  = 240 // along a time; more than that no eye tells apart
)

func (r Run) charts() (all []chart, err error) {
	for _, draw := range []func() (chart, error){r.rateChart, r.latencyChart, r.distributionChart, r.comparisonChart, r.dashboardChart} {
		c, err := draw()
		if err != nil {
			return nil, fmt.Errorf("drawing %q: %w", c.Title, err)
		}
		if c.SVG != "" {
			all = append(all, c)
		}
	}
	return all, nil
}

// lines draws values over labels.
func lines(c chart, names []string, labels []string, values [][]float64, format func(float64) string) (chart, error) {
	o := charts.NewLineChartOptionWithData(values)
	o.Legend.SeriesNames = names
	o.XAxis.Labels = labels
	o.XAxis.LabelCount = 8
	o.YAxis = []charts.YAxisOption{{Min: charts.Ptr(0.0), ValueFormatter: format}}
	o.Symbol = charts.Symbol{Shape: charts.SymbolNone}
	o.LineStrokeWidth = 1.8
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: chartHeight})
	if err := p.LineChart(o); err != nil {
		return c, err
	}
	return c.painted(p)
}

func bars(c chart, names, labels []string, values [][]float64, format func(float64) string) (chart, error) {
	o := charts.NewBarChartOptionWithData(values)
	o.Legend.SeriesNames = names
	o.CategoryAxis.Labels = labels
	o.ValueAxis = []charts.ValueAxisOption{{Min: charts.Ptr(0.0), ValueFormatter: format}}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: chartHeight})
	if err := p.BarChart(o); err != nil {
		return c, err
	}
	return c.painted(p)
}

func (c chart) painted(p *charts.Painter) (chart, error) {
	svg, err := p.Bytes()
	c.SVG = template.HTML(svg) // drawn here from numbers and our own words
	return c, err
}

func (r Run) rateChart() (chart, error) {
	c := chart{Title: "Rate", Note: "Requests a second that were due, and that were answered."}
	points := thin(r.Points)
	if len(points) < 2 {
		return c, nil
	}
	due, answered := make([]float64, len(points)), make([]float64, len(points))
	var last time.Duration
	for i, p := range points {
		seconds := (p.At - last).Seconds()
		due[i], answered[i], last = float64(p.Scheduled)/seconds, float64(p.Completed)/seconds, p.At
	}
	return lines(c, []string{"due", "answered"}, moments(points), [][]float64{due, answered}, whole)
}

func (r Run) latencyChart() (chart, error) {
	c := chart{Title: "Latency over time", Note: "From the scheduled moment to the answer."}
	points := thin(r.Points)
	if len(points) < 2 {
		return c, nil
	}
	p50, p99 := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		p50[i], p99[i] = milliseconds(p.P50), milliseconds(p.P99)
	}
	return lines(c, []string{"p50", "p99"}, moments(points), [][]float64{p50, p99}, inMilliseconds)
}

func (r Run) distributionChart() (chart, error) {
	c := chart{Title: "Distribution of latencies", Note: "Requests by how long they took, on a logarithmic scale."}
	bounds := map[time.Duration]bool{}
	for _, d := range []load.Distribution{r.Response, r.Service} {
		for _, b := range d.Bars {
			bounds[b.UpTo] = true
		}
	}
	if len(bounds) == 0 {
		return c, nil
	}
	var sorted []time.Duration
	for b := range bounds {
		sorted = append(sorted, b)
	}
	slices.Sort(sorted)
	var labels []string
	for _, b := range sorted {
		labels = append(labels, "≤ "+Short(b))
	}
	values := [][]float64{heights(r.Response, sorted), heights(r.Service, sorted)}
	return bars(c, []string{"from the scheduled moment", "from the sent moment"}, labels, values, whole)
}

func heights(d load.Distribution, bounds []time.Duration) []float64 {
	all := make([]float64, len(bounds))
	for _, b := range d.Bars {
		all[slices.Index(bounds, b.UpTo)] = float64(b.Count)
	}
	return all
}

// comparisonChart sets the client's quantiles beside the service's.
func (r Run) comparisonChart() (chart, error) {
	c := chart{Title: "Client against service", Note: "How long requests took from the sent moment, and where the service's own histogram in Prometheus has the same quantile: the client's is longer by the way there and back."}
	service := verify.ServiceQuantiles(r.Evidence, .5, .95, .99)
	if service == nil {
		return c, nil
	}
	l := r.Evidence.Book.Latency
	values := [][]float64{
		{milliseconds(l.P50), milliseconds(l.P95), milliseconds(l.P99)},
		{milliseconds(service[0]), milliseconds(service[1]), milliseconds(service[2])},
	}
	return bars(c, []string{"client", "service (end of its bucket)"}, []string{"p50", "p95", "p99"}, values, inMilliseconds)
}

// dashboardChart shows the load as the dashboard does.
func (r Run) dashboardChart() (chart, error) {
	c := chart{Title: "The load on the dashboard", Note: "Requests a second by the panel “API requests”, out of Prometheus, and by the client, both on average over a minute."}
	shown := r.Evidence.Panels.Rate.Shown
	if len(shown) < 2 {
		return c, nil
	}
	var labels []string
	values := [][]float64{nil, nil}
	for _, s := range shown {
		labels = append(labels, s.At.UTC().Format("15:04:05"))
		values[0], values[1] = append(values[0], s.Panel), append(values[1], s.Client)
	}
	return lines(c, []string{"dashboard", "client"}, labels, values, whole)
}

// thin joins neighbours until there are few enough.
func thin(points []load.Point) (kept []load.Point) {
	every := (len(points) + mostPoints - 1) / mostPoints
	for i, p := range points {
		if every == 0 || i%every == 0 {
			kept = append(kept, p)
			continue
		}
		last := &kept[len(kept)-1]
		last.At, last.Scheduled, last.Completed, last.Failed = p.At, last.Scheduled+p.Scheduled, last.Completed+p.Completed, last.Failed+p.Failed
		last.P50, last.P99 = max(last.P50, p.P50), max(last.P99, p.P99)
	}
	return kept
}

func moments(points []load.Point) (labels []string) {
	for _, p := range points {
		labels = append(labels, p.At.Round(time.Second).String())
	}
	return labels
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func inMilliseconds(v float64) string { return fmt.Sprintf("%g ms", math.Round(v*10)/10) }
