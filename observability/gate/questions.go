package gate

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"configservice/observability/internal/dashboard"
)

// A Rule is one of Prometheus: it records, or it alerts.
type Rule struct {
	File        string `yaml:"-"`
	Record      string
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

// ReadRules reads every file of rules (*.yml) of a directory. It is an error if there is none.
func ReadRules(dir string) ([]Rule, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no rules (*.yml) in %s", dir)
	}
	var rules []Rule
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var content struct{ Groups []struct{ Rules []Rule } }
		if err := yaml.Unmarshal(text, &content); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, group := range content.Groups {
			for _, rule := range group.Rules {
				rule.File = filepath.Base(file)
				rules = append(rules, rule)
			}
		}
	}
	return rules, nil
}

// Questions returns what the rules ask, and of an alert the labels that its texts tell.
func Questions(rules []Rule) []Question {
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	var questions []Question
	for _, rule := range rules {
		q := Question{Where: fmt.Sprintf("rules: %s: %s%s", rule.File, rule.Record, rule.Alert), Expr: rule.Expr}
		for _, text := range slices.Sorted(maps.Values(rule.Annotations)) {
			for _, use := range label.FindAllStringSubmatch(text, -1) {
				if _, own := rule.Labels[use[1]]; !own {
					q.Uses = append(q.Uses, use[1])
				}
			}
		}
		questions = append(questions, q)
	}
	return questions
}

// BoardQuestions returns what a dashboard asks, and the labels that its legends, columns,
// annotations and variables show.
func BoardQuestions(board dashboard.Dashboard) []Question {
	var questions []Question
	add := func(what, name, expr string, uses []string) {
		questions = append(questions, Question{
			Where: fmt.Sprintf("%s: %s %s", board.UID, what, name), Expr: board.Interpolate(expr, nil), Uses: uses,
		})
	}
	for _, v := range board.Templating.List {
		selector, label, _ := v.LabelValues()
		add("variable", v.Name, selector, []string{label})
	}
	for _, a := range board.Annotations.List {
		add("annotation", a.Name, a.Expr, append(shown(a.TextFormat), strings.Split(a.TagKeys, ",")...))
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			add("panel", fmt.Sprintf("%s: query %s", p.Title, target.RefID), target.Expr, append(shown(target.LegendFormat), columns(p)...))
		}
	}
	return questions
}

// shown are the labels of a legend, {{label}}.
func shown(legend string) (labels []string) {
	for _, use := range regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`).FindAllStringSubmatch(legend, -1) {
		labels = append(labels, use[1])
	}
	return labels
}

// columns are the labels that a table puts in order.
func columns(p dashboard.Panel) (labels []string) {
	for _, t := range p.Transformations {
		order, _ := t.Options["indexByName"].(map[string]any)
		for _, column := range slices.Sorted(maps.Keys(order)) {
			if !strings.HasPrefix(column, "Value") {
				labels = append(labels, column)
			}
		}
	}
	return labels
}
