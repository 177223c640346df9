package gate

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"configservice/observability/internal/dashboard"
)

// Lint returns every way in which a dashboard is not whole. Runbooks are the files of
// docs/runbooks.
func Lint(board dashboard.Dashboard, runbooks fs.FS) (faults []error) {
	l := linter{board: board, runbooks: runbooks}
	l.whole()
	l.opensWithTheState()
	ids := map[int]string{}
	for i, p := range board.Panels {
		if other, taken := ids[p.ID]; taken {
			l.fault(p, "has the id %d of %q", p.ID, other)
		}
		ids[p.ID] = p.Title
		l.place(p, board.Panels[:i])
		if p.Type != "row" && p.Type != "text" {
			l.panel(p)
		}
	}
	return l.faults
}

type linter struct {
	board    dashboard.Dashboard
	runbooks fs.FS
	faults   []error
}

func (l *linter) fault(p dashboard.Panel, format string, args ...any) {
	where := l.board.UID
	if p.Title != "" || p.ID != 0 {
		where = fmt.Sprintf("%s: panel %d %q", l.board.UID, p.ID, p.Title)
	}
	l.faults = append(l.faults, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

func (l *linter) whole() {
	b, none := l.board, dashboard.Panel{}
	if b.UID == "" || b.Title == "" || b.Description == "" {
		l.fault(none, "uid, title and description must be there")
	}
	if b.SchemaVersion != 39 {
		l.fault(none, "schemaVersion is %d; 39 is what Grafana 9 to 13 and the viewer read", b.SchemaVersion)
	}
	if !slices.Contains(b.Tags, "config-service") {
		l.fault(none, "the tag config-service is missing, by which the dashboards link to each other")
	}
	if len(b.Links) == 0 {
		l.fault(none, "there is no link to the other dashboards")
	}
	marks := map[string]bool{}
	for _, a := range b.Annotations.List {
		marks[a.Name] = true
		l.source(none, a.Datasource)
	}
	if !marks["Load tests"] || !marks["Restarts"] {
		l.fault(none, "the annotations Load tests and Restarts must be there")
	}
	for _, v := range b.Templating.List {
		l.source(none, v.Datasource)
		if _, _, ok := v.LabelValues(); !ok || v.Label == "" || v.Description == "" {
			l.fault(none, "variable %s: it must have a label, a description and a query label_values(SELECTOR, LABEL)", v.Name)
		}
	}
}

func (l *linter) opensWithTheState() {
	if len(l.board.Panels) == 0 || l.board.Panels[0].Type != "row" || l.board.Panels[0].Title != "Is it well?" {
		l.fault(dashboard.Panel{}, `the first panel is not the row "Is it well?"`)
	}
}

// place holds each panel within the grid and apart from those before it.
func (l *linter) place(p dashboard.Panel, before []dashboard.Panel) {
	g := p.GridPos
	if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
		l.fault(p, "is not on the grid: %+v", g)
	}
	for _, other := range before {
		o := other.GridPos
		if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
			l.fault(p, "lies over %q", other.Title)
		}
	}
	if !slices.Contains([]string{"row", "timeseries", "stat", "gauge", "bargauge", "table", "heatmap", "text"}, p.Type) {
		l.fault(p, "is a %q, which the viewer does not draw", p.Type)
	}
	if p.Title == "" {
		l.fault(p, "has no title")
	}
	if len(p.Panels) > 0 {
		l.fault(p, "is a row with panels inside; they must follow it")
	}
}

func (l *linter) panel(p dashboard.Panel) {
	if p.FieldConfig == nil || p.FieldConfig.Defaults.Unit == "" {
		l.fault(p, "has no unit")
		return
	}
	if len(p.Description) < 40 {
		l.fault(p, "needs a description that says what to do when it looks bad")
	}
	if p.Datasource == nil {
		l.fault(p, "has no data source")
	} else {
		l.source(p, *p.Datasource)
	}
	if len(p.Targets) == 0 {
		l.fault(p, "asks nothing")
	}
	l.targets(p)
	l.thresholds(p)
	l.links(p)
}

func (l *linter) targets(p dashboard.Panel) {
	seen := map[string]bool{}
	for _, t := range p.Targets {
		l.source(p, t.Datasource)
		if seen[t.RefID] {
			l.fault(p, "has two queries %s", t.RefID)
		}
		seen[t.RefID] = true
		if t.LegendFormat == "" && p.Type != "table" {
			l.fault(p, "query %s has no legend", t.RefID)
		}
		if p.Type == "heatmap" && t.Format != "heatmap" || p.Type == "table" && t.Format != "table" {
			l.fault(p, "query %s has the format %q, not %q", t.RefID, t.Format, p.Type)
		}
		if left := regexp.MustCompile(`\$\{?[a-zA-Z_]\w*`).FindString(l.board.Interpolate(t.Expr, nil)); left != "" {
			l.fault(p, "query %s has the variable %s, which there is not", t.RefID, left)
		}
	}
}

func (l *linter) thresholds(p dashboard.Panel) {
	steps := p.FieldConfig.Defaults.Thresholds
	if steps == nil {
		if p.Type == "stat" || p.Type == "gauge" || p.Type == "bargauge" {
			l.fault(p, "is coloured by thresholds, and has none")
		}
		return
	}
	for i, step := range steps.Steps {
		if (step.Value == nil) != (i == 0) || i > 1 && *step.Value <= *steps.Steps[i-1].Value {
			l.fault(p, "thresholds must rise, from null on")
		}
	}
}

func (l *linter) links(p dashboard.Panel) {
	for _, link := range p.Links {
		page, ok := strings.CutPrefix(link.URL, "/public/runbooks/")
		if !ok {
			l.fault(p, "links to %s; links of panels go to /public/runbooks/", link.URL)
			continue
		}
		if _, err := fs.Stat(l.runbooks, path.Clean(page)); err != nil {
			l.fault(p, "links to the runbook %s, which there is not", page)
		}
	}
}

func (l *linter) source(p dashboard.Panel, d dashboard.Datasource) {
	if d != (dashboard.Datasource{Type: "prometheus", UID: "prometheus"}) {
		l.fault(p, "asks the data source %+v, not the provisioned one, prometheus", d)
	}
}

// Unlinked returns the alerts to whose runbook no panel links.
func Unlinked(boards []dashboard.Dashboard, rules []Rule) (alerts []string) {
	linked := map[string]bool{}
	for _, board := range boards {
		for _, p := range board.Panels {
			for _, link := range p.Links {
				linked[strings.TrimSuffix(path.Base(link.URL), ".md")] = true
			}
		}
	}
	for _, rule := range rules {
		if rule.Alert != "" && !linked[rule.Alert] && !slices.Contains(alerts, rule.Alert) {
			alerts = append(alerts, rule.Alert)
		}
	}
	return alerts
}
