package gate

import (
	"context"
	"fmt"
	"strings"

	"configservice/observability/internal/prom"
)

// selected returns the labels of what a selector can find.
func (c *Checker) selected(ctx context.Context, n *prom.Node) (labelSet, []string) {
	found, faults := c.named(ctx, n)
	if len(found) == 0 {
		return labelSet{}, append(faults, fmt.Sprintf("there is no metric %s", selector(n)))
	}
	labels := labelSet{}
	for _, of := range found {
		for label := range of {
			labels[label] = true
		}
	}
	for _, m := range n.Matchers {
		switch {
		case m.Name == "__name__":
		case !labels[m.Name]:
			faults = append(faults, fmt.Sprintf("%s has no label %s, only %s", selector(n), m.Name, labels))
		case !possible(found, m):
			faults = append(faults, fmt.Sprintf("%s has no %s that is %s%q", selector(n), m.Name, m.Type, m.Value))
		}
	}
	return labels, faults
}

// selector is how people call what a selector finds.
func selector(n *prom.Node) string {
	if n.Name != "" {
		return n.Name
	}
	var all []string
	for _, m := range n.Matchers {
		all = append(all, m.Name+m.Type+fmt.Sprintf("%q", m.Value))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// named returns the labels of each metric that a selector names, which need not be one.
func (c *Checker) named(ctx context.Context, n *prom.Node) (found []Labels, faults []string) {
	if labels, faults, ok := c.made(ctx, n.Name); ok {
		return []Labels{labels}, faults
	}
	for name, metric := range c.catalogue {
		if n.Name == name || n.Name == "" && meant(n, metric) {
			c.asked[name] = true
			found = append(found, metric.Labels)
		}
	}
	return found, nil
}

// meant is for selectors without a name of their own: their conditions must fit the metric.
func meant(n *prom.Node, metric Metric) bool {
	for _, m := range n.Matchers {
		_, has := metric.Labels[m.Name]
		if m.Name == "__name__" && !m.Matches(metric.Name) ||
			m.Name != "__name__" && (!has || !possible([]Labels{metric.Labels}, m)) {
			return false
		}
	}
	return true
}

// possible returns whether a series can meet the condition, as far as the values are fixed. One that
// excludes a value must name one that there is.
func possible(found []Labels, m prom.Matcher) bool {
	excludes := m.Type == "!=" || m.Type == "!~"
	if excludes {
		m.Type = map[string]string{"!=": "=", "!~": "=~"}[m.Type]
	}
	if m.Value == "" {
		return true
	}
	for _, labels := range found {
		values, has := labels[m.Name]
		if has && len(values) == 0 {
			return true
		}
		for _, value := range values {
			if m.Matches(value) {
				return true
			}
		}
	}
	return false
}

// made returns the labels of a series that rules make, if it is one.
func (c *Checker) made(ctx context.Context, name string) (labels Labels, faults []string, ok bool) {
	if known, ok := c.derived[name]; ok {
		return known, nil, true
	}
	rules := []Rule{}
	labels = Labels{}
	switch rule, recorded := c.recorded[name]; {
	case recorded:
		rules = append(rules, rule)
	case name == "ALERTS" || name == "ALERTS_FOR_STATE":
		rules = c.alerts
		labels = Labels{"alertname": nil, "alertstate": {"firing", "pending"}}
		for _, alert := range c.alerts {
			labels["alertname"] = append(labels["alertname"], alert.Alert)
		}
	default:
		return nil, nil, false
	}
	c.derived[name] = labels // so that a rule that reads itself ends
	for _, rule := range rules {
		of, more := c.ruleLabels(ctx, rule)
		faults = append(faults, more...)
		for label := range of {
			labels[label] = nil
		}
	}
	return labels, faults, true
}

func (c *Checker) ruleLabels(ctx context.Context, rule Rule) (labelSet, []string) {
	node, err := c.parser.Parse(ctx, rule.Expr)
	if err != nil {
		return nil, []string{err.Error()}
	}
	labels, faults := c.labels(ctx, node)
	for label := range rule.Labels {
		labels[label] = true
	}
	return labels, faults
}

func unknown(what string, names []string, labels labelSet) (faults []string) {
	for _, name := range names {
		if !labels[name] {
			faults = append(faults, fmt.Sprintf("%s %s, which is not among %s", what, name, labels))
		}
	}
	return faults
}

// keep returns those labels that are named or, if not kept, the others.
func keep(labels labelSet, names []string, kept bool) labelSet {
	left := labelSet{}
	for label := range labels {
		left[label] = !kept
	}
	for _, name := range names {
		left[name] = kept && labels[name]
	}
	for label, stays := range left {
		if !stays {
			delete(left, label)
		}
	}
	return left
}

func plus(labels labelSet, more []string) labelSet {
	for _, label := range more {
		labels[label] = true
	}
	return labels
}
