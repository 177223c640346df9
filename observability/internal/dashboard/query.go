package dashboard

import (
	"regexp"
	"strings"
)

// A Query is one question of a dashboard to Prometheus, with its variables filled in.
type Query struct {
	Dashboard string // uid
	Panel     string // title of the panel, variable or annotation
	PanelID   int    // 0 for those of variables and annotations
	RefID     string // letter of the query in its panel; "variable" or "annotation" for theirs
	Expr      string // PromQL; of a variable the selector in label_values(…)
	NoValue   string // what the panel shows when it has no data
}

// Needs returns what must be there for the query to have data, such as "Docker" or "a running load
// test": the rest of a NoValue that begins with "needs ". It is empty for a query that must
// have data whenever the service is under load.
func (q Query) Needs() string {
	needs, ok := strings.CutPrefix(q.NoValue, "needs ")
	if !ok {
		return ""
	}
	return needs
}

// Values of variables. A variable that it lacks is filled in as Grafana does at first, with
// everything ("All").
type Values map[string]string

// builtIn are Grafana's own variables, for the last 15 minutes of samples every 5 s.
func builtIn(name string) (value string, ok bool) {
	switch name {
	case "__rate_interval":
		return "20s", true
	case "__interval":
		return "5s", true
	case "__range":
		return "15m", true
	}
	return "", false
}

// Queries lists what the dashboard asks, in the order of its variables, annotations and panels.
func (d Dashboard) Queries(values Values) []Query {
	var queries []Query
	add := func(q Query, expr string) {
		q.Dashboard, q.Expr = d.UID, d.Interpolate(expr, values)
		queries = append(queries, q)
	}
	for _, v := range d.Templating.List {
		selector, _, _ := v.LabelValues()
		add(Query{Panel: v.Name, RefID: "variable"}, selector)
	}
	for _, a := range d.Annotations.List {
		add(Query{Panel: a.Name, RefID: "annotation"}, a.Expr)
	}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			add(Query{Panel: p.Title, PanelID: p.ID, RefID: t.RefID, NoValue: p.FieldConfig.noValue()}, t.Expr)
		}
	}
	return queries
}

func (f *FieldConfig) noValue() string {
	if f == nil {
		return ""
	}
	return f.Defaults.NoValue
}

// LabelValues takes label_values(SELECTOR, LABEL) apart, the one form of a variable's query.
func (v Variable) LabelValues() (selector, label string, ok bool) {
	match := regexp.MustCompile(`^label_values\((.+),\s*([a-zA-Z_]\w*)\)$`).FindStringSubmatch(v.Query.Query)
	if match == nil {
		return "", "", false
	}
	return match[1], match[2], true
}

// Interpolate fills in every $name and ${name} that is a variable of the dashboard or Grafana's
// own. What is neither stays as it is, and no parser will take it.
func (d Dashboard) Interpolate(expr string, values Values) string {
	return regexp.MustCompile(`\$\{?(\w+)\}?`).ReplaceAllStringFunc(expr, func(use string) string {
		name := strings.Trim(use, "${}")
		if value, ok := values[name]; ok {
			return value
		}
		if value, ok := builtIn(name); ok {
			return value
		}
		for _, v := range d.Templating.List {
			if v.Name == name {
				return v.AllValue
			}
		}
		return use
	})
}
