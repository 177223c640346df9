package main

import (
	"fmt"

	"configservice/observability/internal/dashboard"
)

// A panel is one picture. Its title, unit, width and about must be there.
type panel struct {
	kind  kind
	title string
	unit  string // of Grafana's, such as "s" or "percentunit"
	about string // what it shows, and what to do when it looks bad
	width int    // of 24

	queries  []query
	levels   []level  // colours of values, from low to high
	runbooks []string // alerts about what is shown
	noValue  string   // what stands there without data; "needs X" excuses it under load

	stacked  bool
	min, max *float64
	decimals *int
	colours  []colour          // of series, by name
	texts    map[string]string // shown in place of values
	columns  []string          // of a table, in this order
	markdown string            // of a text
}

type kind string

const (
	stat       kind = "stat"
	gauge      kind = "gauge"
	bars       kind = "bargauge"
	timeseries kind = "timeseries"
	heatmap    kind = "heatmap"
	table      kind = "table"
	text       kind = "text"
)

// A query is a question and how its answers are called.
type query struct{ legend, expr string }

// A level is the colour of values from a bound on.
type level struct {
	from   float64
	colour string
}

// A colour is that of the series with a name.
type colour struct{ series, colour string }

func (p panel) height() int {
	switch p.kind {
	case stat, gauge, text:
		return 4
	}
	return 8
}

// panel is p in Grafana's schema.
func (p panel) panel(id int) dashboard.Panel {
	made := dashboard.Panel{
		ID: id, Type: string(p.kind), Title: p.title, Description: p.about, Options: p.options(),
	}
	if p.kind == text {
		return made
	}
	source := prometheus()
	made.Datasource = &source
	made.FieldConfig = &dashboard.FieldConfig{Defaults: p.field(), Overrides: p.overrides()}
	for i, q := range p.queries {
		made.Targets = append(made.Targets, p.target(i, q))
	}
	for _, alert := range p.runbooks {
		made.Links = append(made.Links, dashboard.Link{
			Title: "Runbook: " + alert, URL: "/public/runbooks/" + alert + ".md", TargetBlank: true,
		})
	}
	if p.kind == table {
		made.Transformations = p.transformations()
	}
	return made
}

func (p panel) target(i int, q query) dashboard.Target {
	t := dashboard.Target{
		RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: q.expr, LegendFormat: q.legend,
	}
	switch p.kind {
	case timeseries:
		t.Range = true
	case heatmap:
		t.Range, t.Format = true, "heatmap"
	case table:
		t.Instant, t.Format = true, "table"
	default:
		t.Instant = true
	}
	return t
}

func (p panel) field() dashboard.Field {
	f := dashboard.Field{
		Unit: p.unit, Decimals: p.decimals, Min: p.min, Max: p.max, NoValue: p.noValue,
		Color: map[string]any{"mode": "thresholds"},
	}
	if p.kind == timeseries {
		f.Color = map[string]any{"mode": "palette-classic"}
		f.Custom = p.lines()
	}
	if len(p.levels) > 0 {
		f.Thresholds = &dashboard.Thresholds{Mode: "absolute"}
		for i, l := range p.levels {
			step := dashboard.Step{Color: l.colour}
			if i > 0 {
				step.Value = &l.from
			}
			f.Thresholds.Steps = append(f.Thresholds.Steps, step)
		}
	}
	if len(p.texts) > 0 {
		shown := map[string]dashboard.MappedText{}
		for value, text := range p.texts {
			shown[value] = dashboard.MappedText{Text: text}
		}
		f.Mappings = []dashboard.Mapping{{Type: "value", Options: shown}}
	}
	return f
}

// lines is how time series are drawn: without thresholds as lines on a light ground.
func (p panel) lines() map[string]any {
	lines := map[string]any{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false,
		"axisSoftMin": 0,
	}
	if p.unit == "percentunit" && p.max == nil {
		lines["axisSoftMax"] = 0.01 // where all is zero, the axis would end at 10000 %
	}
	if p.stacked {
		lines["fillOpacity"] = 40
		lines["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	}
	if len(p.levels) > 1 {
		lines["thresholdsStyle"] = map[string]any{"mode": "dashed"}
	}
	return lines
}

func (p panel) overrides() []dashboard.Override {
	overrides := []dashboard.Override{}
	for _, c := range p.colours {
		overrides = append(overrides, dashboard.Override{
			Matcher:    dashboard.Matcher{ID: "byName", Options: c.series},
			Properties: []dashboard.Property{{ID: "color", Value: map[string]any{"mode": "fixed", "fixedColor": c.colour}}},
		})
	}
	return overrides
}

func (p panel) options() map[string]any {
	last := map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.kind {
	case stat:
		return map[string]any{
			"reduceOptions": last, "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
			"orientation": "auto", "textMode": "auto",
		}
	case gauge:
		return map[string]any{
			"reduceOptions": last, "orientation": "auto", "showThresholdLabels": false, "showThresholdMarkers": true,
		}
	case bars:
		return map[string]any{
			"reduceOptions": last, "orientation": "horizontal", "displayMode": "gradient", "valueMode": "color", "showUnfilled": true,
		}
	case timeseries:
		return map[string]any{
			"legend":  map[string]any{"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": []string{"lastNotNull", "max"}},
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		}
	case heatmap:
		return p.heatmapOptions()
	case table:
		return map[string]any{"showHeader": true, "cellHeight": "sm"}
	case text:
		return map[string]any{"mode": "markdown", "content": p.markdown}
	}
	panic(fmt.Sprintf("no options for panels of the type %q", p.kind))
}

// heatmapOptions draws histograms as Prometheus has them: buckets by their upper bounds.
func (p panel) heatmapOptions() map[string]any {
	return map[string]any{
		"calculate":    false,
		"cellGap":      1,
		"color":        map[string]any{"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "reverse": false, "fill": "dark-orange", "scale": "exponential"},
		"filterValues": map[string]any{"le": 1e-9},
		"legend":       map[string]any{"show": true},
		"rowsFrame":    map[string]any{"layout": "auto"},
		"tooltip":      map[string]any{"mode": "single", "yHistogram": false, "showColorScale": false},
		"yAxis":        map[string]any{"axisPlacement": "left", "reverse": false, "unit": p.unit},
		"cellValues":   map[string]any{"unit": "reqps"},
	}
}

// transformations put the queries of a table side by side, and its columns in order; what is no
// column is left out.
func (p panel) transformations() []dashboard.Transformation {
	order, names := map[string]any{}, map[string]any{}
	for i, column := range p.columns {
		order[column] = i
	}
	for i, q := range p.queries {
		if q.legend == "" {
			continue
		}
		value := "Value"
		if len(p.queries) > 1 {
			value = fmt.Sprintf("Value #%c", 'A'+i)
		}
		names[value] = q.legend
		order[value] = len(p.columns) + i
	}
	hidden := map[string]any{"Time": true}
	if len(names) == 0 {
		hidden["Value"] = true
	}
	organize := dashboard.Transformation{ID: "organize", Options: map[string]any{
		"excludeByName": hidden, "indexByName": order, "renameByName": names,
	}}
	if len(p.queries) == 1 {
		return []dashboard.Transformation{organize}
	}
	return []dashboard.Transformation{{ID: "merge", Options: map[string]any{}}, organize}
}

func number(v float64) *float64 { return &v }

func places(n int) *int { return &n }

// Bad from a value on, with a warning before it.
func worseFrom(warning, bad float64) []level {
	return []level{{0, "green"}, {warning, "orange"}, {bad, "red"}}
}

// Good from a value on, and a warning before it.
func betterFrom(warning, good float64) []level {
	return []level{{0, "red"}, {warning, "orange"}, {good, "green"}}
}

// Anything but zero is bad.
func wantZero() []level { return []level{{0, "green"}, {1e-9, "red"}} }

// neither good nor bad.
func plain() []level { return []level{{0, "blue"}} }
