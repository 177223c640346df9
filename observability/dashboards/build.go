package main

import (
	"fmt"

	"configservice/observability/internal/dashboard"
)

// tag is what all dashboards have, and how they find one another.
const tag = "config-service"

// prometheus is the provisioned data source.
func prometheus() dashboard.Datasource {
	return dashboard.Datasource{Type: "prometheus", UID: "prometheus"}
}

// A board is a dashboard as a person describes it; dashboard lays it out.
type board struct {
	uid, title, about string
	variables         []dashboard.Variable
	annotations       []dashboard.Annotation
	rows              []row
}

// A row is a title and the panels below it.
type row struct {
	title  string
	panels []panel
}

// dashboard gives every panel an id and a place: side by side while there is room, all of a line
// as high as its highest.
func (b board) dashboard() dashboard.Dashboard {
	d := dashboard.Dashboard{
		UID:           b.uid,
		Title:         b.title,
		Description:   b.about,
		Tags:          []string{tag},
		SchemaVersion: 39,
		GraphTooltip:  1,
		Refresh:       "5s",
		Time:          dashboard.TimeRange{From: "now-15m", To: "now"},
		Timezone:      "browser",
		Links:         []dashboard.Link{{Title: "Dashboards", Type: "dashboards", Tags: []string{tag}, KeepTime: true}},
		Templating:    dashboard.Templating{List: append([]dashboard.Variable{}, b.variables...)},
		Annotations:   dashboard.Annotations{List: b.annotations},
	}
	y := 0
	for _, r := range b.rows {
		d.Panels = append(d.Panels, dashboard.Panel{
			ID: len(d.Panels) + 1, Type: "row", Title: r.title, Collapsed: new(bool),
			GridPos: dashboard.GridPos{Y: y, W: gridWidth, H: 1},
		})
		y++
		x, lineHeight := 0, 0
		for _, p := range r.panels {
			if x+p.width > gridWidth {
				x, y, lineHeight = 0, y+lineHeight, 0
			}
			made := p.panel(len(d.Panels) + 1)
			made.GridPos = dashboard.GridPos{X: x, Y: y, W: p.width, H: p.height()}
			d.Panels = append(d.Panels, made)
			x, lineHeight = x+p.width, max(lineHeight, p.height())
		}
		y += lineHeight
	}
	return d
}

const gridWidth = 24

// choice is a variable of which any number of values, or all, can be chosen. The metric should be
// one that is always there.
func choice(name, label, about, metric string) dashboard.Variable {
	query := fmt.Sprintf("label_values(%s, %s)", metric, name)
	return dashboard.Variable{
		Name: name, Label: label, Description: about, Type: "query", Datasource: prometheus(),
		Definition: query, Query: dashboard.VariableQuery{Query: query, RefID: "variable"},
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: dashboard.Current{Text: []string{"All"}, Value: []string{"$__all"}},
	}
}

func loadTests() dashboard.Annotation {
	return dashboard.Annotation{
		Name: "Load tests", Datasource: prometheus(), Enable: true, IconColor: "purple", Step: "5s",
		Expr:        `max by (scenario) (loadtest_run_active{via="collector"}) > 0`,
		TitleFormat: "Load test", TextFormat: "Scenario {{scenario}} runs", TagKeys: "scenario",
	}
}

// restarts asks once a minute about the minute before, so that each restart is one mark.
func restarts(text, expr string) dashboard.Annotation {
	return dashboard.Annotation{
		Name: "Restarts", Datasource: prometheus(), Enable: true, IconColor: "orange", Step: "60s",
		Expr: expr, TitleFormat: "Restart", TextFormat: text, TagKeys: "instance",
	}
}
