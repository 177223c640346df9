package report

import (
	"math"
	"slices"
	"strconv"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/verify"
)

// mostPoints is how many a line has; more than that no eye tells apart.
const mostPoints = 240

// charts leaves out those for which the run has nothing.
func (r Run) charts() (all []chart) {
	for _, c := range []chart{r.rateChart(), r.dashboardChart(), r.latencyChart(), r.distributionChart(), r.comparisonChart()} {
		if c.SVG != "" {
			all = append(all, c)
		}
	}
	return all
}

func (r Run) loaded() time.Duration { return r.Load.Stopped.Sub(r.Load.Started) }

// since is a moment in seconds since the load began.
func (r Run) since(at time.Time) float64 { return at.Sub(r.Load.Started).Seconds() }

// rateChart sets what the client did beside what the service counted, as its
// raw samples in Prometheus tell: the step that the load is.
func (r Run) rateChart() chart {
	c := chart{Title: "Rate", Note: "Requests a second: those due and those answered, by the client; and those that the service counted between two scrapes, out of Prometheus."}
	due, answered, served := series{Name: "due"}, series{Name: "answered"}, series{Name: "counted by the service"}
	var last time.Duration
	for _, p := range thin(r.Points) {
		at, seconds := (p.At+last).Seconds()/2, (p.At - last).Seconds()
		due.add(at, float64(p.Scheduled)/seconds)
		answered.add(at, float64(p.Completed)/seconds)
		last = p.At
	}
	if len(due.X) < 2 {
		return c
	}
	for _, s := range r.Evidence.Served {
		served.add(r.since(s.At), s.Rate)
	}
	c.Series = []series{due, answered, served}
	return lines(c, r.loaded(), perSecond)
}

func (s *series) add(x, y float64) { s.X, s.Y = append(s.X, x), append(s.Y, y) }

// dashboardChart shows the load as the dashboard does.
func (r Run) dashboardChart() chart {
	c := chart{Title: "The load on the dashboard", Note: "Requests a second by the panel “API requests”, and by the client, both on average over the minute before: a step rises for a minute."}
	panel, client := series{Name: "dashboard"}, series{Name: "client"}
	for _, s := range r.Evidence.Panels.Rate.Shown {
		panel.add(r.since(s.At), s.Panel)
		client.add(r.since(s.At), s.Client)
	}
	if len(panel.X) < 2 {
		return c
	}
	c.Series = []series{panel, client}
	return lines(c, r.loaded(), perSecond)
}

func (r Run) latencyChart() chart {
	c := chart{Title: "Latency over time", Note: "From the scheduled moment to the answer, interval by interval."}
	p50, p99 := series{Name: "p50"}, series{Name: "p99"}
	for _, p := range thin(r.Points) {
		p50.add(p.At.Seconds(), milliseconds(p.P50))
		p99.add(p.At.Seconds(), milliseconds(p.P99))
	}
	if len(p50.X) < 2 {
		return c
	}
	c.Series = []series{p50, p99}
	return lines(c, r.loaded(), inMilliseconds)
}

func (r Run) distributionChart() chart {
	c := chart{Title: "Distribution of latencies", Note: "Share of the requests that took up to so long, on a logarithmic scale: ten bars from one power of ten to the next."}
	var bounds []time.Duration
	for _, b := range slices.Concat(r.Response.Bars, r.Service.Bars) {
		bounds = append(bounds, b.UpTo)
	}
	if len(bounds) == 0 {
		return c
	}
	first, last := decile(slices.Min(bounds)), decile(slices.Max(bounds))
	c.Series = []series{
		shares("from the scheduled moment", r.Response, first),
		shares("from the sent moment", r.Service, first),
	}
	return bars(c, last-first+1, decades(first, last), percent)
}

// decile is the number of a bar's end, of ten a power of ten.
func decile(d time.Duration) int { return int(math.Round(10 * math.Log10(float64(d)))) }

func shares(name string, d load.Distribution, first int) series {
	s := series{Name: name}
	for _, b := range d.Bars {
		s.add(float64(decile(b.UpTo)-first), 100*float64(b.Count)/float64(d.Count))
	}
	return s
}

// decades name the bars that end at a power of ten, and at two and five of it.
func decades(first, last int) (all []tick) {
	for n := first; n <= last; n++ {
		if place := ((n % 10) + 10) % 10; place == 0 || place == 3 || place == 7 {
			d := time.Duration(math.Pow(10, float64(n)/10))
			all = append(all, tick{float64(n-first) + .5, roughly(d)})
		}
	}
	return all
}

// roughly writes a duration to one digit.
func roughly(d time.Duration) string {
	unit := time.Duration(math.Pow(10, math.Floor(math.Log10(float64(d)))))
	return d.Round(unit).String()
}

// comparisonChart sets the client's quantiles beside the service's.
func (r Run) comparisonChart() chart {
	c := chart{Title: "Client against service", Note: "How long requests took from the sent moment, and the ends of the bucket in which the service's own histogram in Prometheus has the same quantile. The client's is longer, by the way there and back."}
	ranges := verify.ServiceQuantiles(r.Evidence, .5, .95, .99)
	if ranges == nil {
		return c
	}
	client, low, high := series{Name: "client"}, series{Name: "service, at least"}, series{Name: "service, at most"}
	l := r.Evidence.Book.Latency
	for i, d := range []time.Duration{l.P50, l.P95, l.P99} {
		at := float64(i)
		client.add(at, milliseconds(d))
		low.add(at, milliseconds(ranges[i].Over))
		high.add(at, milliseconds(ranges[i].UpTo))
	}
	c.Series = []series{client, low, high}
	return bars(c, 3, []tick{{0, "p50"}, {1, "p95"}, {2, "p99"}}, inMilliseconds)
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

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

func perSecond(v float64) string { return digits(v) + "/s" }

func percent(v float64) string { return digits(v) + " %" }

func inMilliseconds(v float64) string { return digits(v) + " ms" }

// digits writes three of them, and never a power of ten.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	grain := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	return strconv.FormatFloat(math.Round(math.Round(v/grain)*grain*1e6)/1e6, 'f', -1, 64)
}
