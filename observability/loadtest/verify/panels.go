package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"configservice/observability/internal/dashboard"
	"configservice/observability/loadtest/target"
)

// Panels is what the dashboards show of the run.
type Panels struct {
	Missing string  `json:"missing"` // why none was looked at, or empty
	All     []Panel `json:"all"`
	Rate    Rate    `json:"rate"`
}

// A Panel is one panel, variable or annotation of a dashboard.
type Panel struct {
	Dashboard string `json:"dashboard"`
	Title     string `json:"title"`
	Reason    string `json:"reason"` // for which it may be empty, or empty
	Series    int    `json:"series"` // how many it showed
	Fault     string `json:"fault"`  // what Prometheus had against its queries
	queries   []string
}

// excused says whether a panel may be empty for the reason that it gives. Of the
// reasons that are about load, those hold that are true of this run.
func excused(reason string, e Evidence) bool {
	switch {
	case reason == "", strings.HasPrefix(reason, "needs a running load test"):
		return false
	case strings.HasPrefix(reason, "needs "), reason == onlyMarks:
		return true
	case strings.HasPrefix(reason, "no change was watched"):
		return e.watchers() == 0
	case strings.HasPrefix(reason, "known a minute after"):
		return e.Settled.Sub(e.Load.Started) < 2*time.Minute
	case strings.HasPrefix(reason, "cAdvisor sees none"):
		return e.CPU.Missing != ""
	}
	return false
}

// watchers is how many streams there were, but for the one that asks for the revision.
func (e Evidence) watchers() int64 {
	return e.Book.Counts[target.Series{Method: "GET", Route: watchRoute, Status: "200"}] - 1
}

const (
	onlyMarks  = "marks only what happened"
	watchRoute = "/api/v1/watch"
)

// The panel that shows how many requests there are.
const (
	rateDashboard = "configuration-service"
	ratePanel     = "API requests"
	rateWindow    = time.Minute // over which it averages
)

// panelsOf lists what the dashboards in a directory show.
func panelsOf(dir string) ([]Panel, error) {
	boards, err := dashboard.Load(dir)
	if err != nil {
		return nil, err
	}
	var all []Panel
	for _, board := range boards {
		places := map[string]int{}
		for _, q := range board.Queries(nil) {
			key := fmt.Sprint(q.PanelID, q.Panel)
			at, known := places[key]
			if !known {
				at = len(all)
				places[key] = at
				all = append(all, Panel{Dashboard: board.UID, Title: q.Panel, Reason: reason(q)})
			}
			all[at].queries = append(all[at].queries, q.Expr)
		}
	}
	return all, nil
}

// reason is why a query may find nothing, or empty. An annotation marks what
// happened, and of that only the load itself must have.
func reason(q dashboard.Query) string {
	if q.RefID == "annotation" && !strings.Contains(q.Expr, "loadtest_run_active") {
		return onlyMarks
	}
	return q.NoValue
}

// look asks what a panel shows in the window.
func (p *Panel) look(ctx context.Context, w window) error {
	p.Series, p.Fault = 0, ""
	for _, query := range p.queries {
		value, _, _, err := w.prom.api.QueryRange(ctx, query, promv1.Range{Start: w.from, End: w.to, Step: w.step()})
		if refused, ok := err.(*promv1.Error); ok && refused.Type == promv1.ErrBadData {
			p.Fault = refused.Msg
			continue
		}
		if err != nil {
			return fmt.Errorf("asking Prometheus for the panel %q of %s: %w", p.Title, p.Dashboard, err)
		}
		if matrix, ok := value.(model.Matrix); ok {
			p.Series += len(matrix)
		}
	}
	return nil
}

// step keeps a long run within what Prometheus answers.
func (w window) step() time.Duration {
	return max(time.Second, w.to.Sub(w.from)/500).Round(time.Second)
}

// lookAtPanels looks at all of them, and again at those that should not be
// empty, until they are not or the time is over: rules are evaluated and the
// tester's own metrics scraped a moment after what they are about.
func (o *Observer) lookAtPanels(ctx context.Context, e *Evidence) error {
	if !slices.Contains(o.options.Claims, "5") {
		return nil
	}
	panels, err := panelsOf(o.options.Dashboards)
	if err != nil {
		e.Panels.Missing = err.Error()
		return nil
	}
	e.Panels.All = panels
	left := make([]*Panel, len(panels))
	for i := range panels {
		left[i] = &panels[i]
	}
	var failure error
	o.await(ctx, func() bool {
		var empty []*Panel
		for _, p := range left {
			if failure = p.look(ctx, window{o.prom, e.Load.Started, o.until(e)}); failure != nil {
				return true
			}
			if p.Series == 0 && !excused(p.Reason, *e) {
				empty = append(empty, p)
			}
		}
		left = empty
		return len(left) == 0
	})
	if failure == nil {
		failure = o.lookAtRate(ctx, e)
	}
	return failure
}

// until is the end of the time about which is asked what comes a moment later:
// now, for a run that has just ended.
func (o *Observer) until(e *Evidence) time.Time {
	if latest := e.Settled.Add(o.options.Settle); time.Now().After(latest) {
		return latest
	}
	return time.Now()
}

// Rate is the rate of requests as the client made them and the panel shows them,
// where the load was constant for long enough.
type Rate struct {
	NotAsked string  `json:"not_asked"` // why it was not compared, or empty
	Client   float64 `json:"client"`    // requests a second
	Panel    float64 `json:"panel"`
	Times    int     `json:"times"` // at how many moments they were compared
	Shown    []Shown `json:"shown"` // the run as the panel shows it
}

// Shown is what the panel and the client say at one moment, both on average over
// the minute before.
type Shown struct {
	At     time.Time `json:"at"`
	Client float64   `json:"client"` // requests a second
	Panel  float64   `json:"panel"`
}

// lookAtRate looks at the run from a minute before it, and compares where all
// that the panel averages over is constant load; the edge is for the scrapes.
func (o *Observer) lookAtRate(ctx context.Context, e *Evidence) error {
	const edge, most = 10 * time.Second, 300
	r := &e.Panels.Rate
	query := e.Panels.query(rateDashboard, ratePanel)
	if query == "" {
		r.NotAsked = fmt.Sprintf("the dashboard %s has no panel %q", rateDashboard, ratePanel)
		return nil
	}
	from, to := e.Load.Started.Add(-rateWindow), e.Settled
	step := max(5*time.Second, to.Sub(from)/most).Round(time.Second)
	value, _, _, err := o.prom.api.QueryRange(ctx, query, promv1.Range{Start: from, End: to, Step: step})
	if err != nil {
		return fmt.Errorf("asking Prometheus for the rate of requests: %w", err)
	}
	matrix, _ := value.(model.Matrix)
	for _, stream := range matrix {
		for _, v := range stream.Values {
			at := v.Timestamp.Time()
			r.Shown = append(r.Shown, Shown{at, e.Book.Rate(at.Add(-rateWindow), at), float64(v.Value)})
		}
	}
	r.compare(e.Load.Steady.From.Add(rateWindow+edge), e.Load.Steady.To)
	return nil
}

// query is the first one of a panel, or empty.
func (p Panels) query(dashboard, title string) string {
	for _, panel := range p.All {
		if panel.Dashboard == dashboard && panel.Title == title {
			return panel.queries[0]
		}
	}
	return ""
}

// compare averages what is shown between two moments.
func (r *Rate) compare(from, to time.Time) {
	if !from.Before(to) {
		r.NotAsked = fmt.Sprintf("the rate was not constant for longer than the %v that the panel averages over: ask a longer scenario", rateWindow)
		return
	}
	for _, s := range r.Shown {
		if !s.At.Before(from) && !s.At.After(to) {
			r.Client += s.Client
			r.Panel += s.Panel
			r.Times++
		}
	}
	if n := float64(r.Times); n > 0 {
		r.Client /= n
		r.Panel /= n
	}
}

// rateTolerance is of the client's rate.
const rateTolerance = 0.02

func judgePanels(e Evidence) (findings []Finding) {
	if e.Panels.Missing != "" {
		return []Finding{missing("dashboards", e.Panels.Missing)}
	}
	var full, excusable int
	var empty, faulty []string
	for _, p := range e.Panels.All {
		title := p.Dashboard + ": " + p.Title
		switch {
		case p.Fault != "":
			faulty = append(faulty, title+" ("+p.Fault+")")
		case p.Series > 0:
			full++
		case excused(p.Reason, e):
			excusable++
		default:
			empty = append(empty, title)
		}
	}
	return append(findings,
		none(fmt.Sprintf("panels, variables and annotations without data (%d have data, %d say why they have none)", full, excusable), empty),
		none("panels whose query Prometheus refuses", faulty),
		judgeRate(e.Panels.Rate))
}

func judgeRate(r Rate) Finding {
	f := Finding{
		What:     fmt.Sprintf("requests a second by the panel %q and by the client", ratePanel),
		Expected: fmt.Sprintf("%.2f", r.Client), Found: fmt.Sprintf("%.2f", r.Panel),
		Tolerance: fmt.Sprintf("%g %%", 100*rateTolerance), Verdict: True,
	}
	if r.NotAsked != "" {
		f.Expected, f.Found, f.Verdict = "", r.NotAsked, NotAsked
		return f
	}
	f.Difference = fmt.Sprintf("%+.2f %%", 100*(r.Panel/r.Client-1))
	if r.Times == 0 || math.Abs(r.Panel-r.Client) > rateTolerance*r.Client {
		f.Verdict = False
	}
	return f
}
