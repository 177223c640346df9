package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"configservice/observability/internal/prom"
)

// A Question is a query and what its answer is used for.
type Question struct {
	Where string // such as "slo: panel Alerts: query A", for people
	Expr  string
	Uses  []string // labels that the answer must have, such as those in a legend
}

// A Checker knows which questions can be answered.
type Checker struct {
	parser    prom.Client
	catalogue Catalogue
	recorded  map[string]Rule
	alerts    []Rule
	derived   map[string]Labels // of what rules make, as they become known
	asked     map[string]bool
}

// NewChecker parses with a running Prometheus, of any configuration.
func NewChecker(parser prom.Client, catalogue Catalogue, rules []Rule) *Checker {
	c := &Checker{parser, catalogue, map[string]Rule{}, nil, map[string]Labels{}, map[string]bool{}}
	for _, rule := range rules {
		if rule.Record != "" {
			c.recorded[rule.Record] = rule
		} else {
			c.alerts = append(c.alerts, rule)
		}
	}
	return c
}

// Check returns why the question cannot be answered, with its place.
func (c *Checker) Check(ctx context.Context, q Question) (faults []error) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", q.Where, fmt.Sprintf(format, args...)))
	}
	node, err := c.parser.Parse(ctx, q.Expr)
	if err != nil {
		fault("%v\n\t%s", err, q.Expr)
		return faults
	}
	labels, reasons := c.labels(ctx, node)
	for _, reason := range reasons {
		fault("%s", reason)
	}
	for _, use := range q.Uses {
		if len(reasons) == 0 && !labels[use] {
			fault("the answer has no label %s, only %s", use, labels)
		}
	}
	return faults
}

// Asked returns whether any question so far was about the metric.
func (c *Checker) Asked(metric string) bool { return c.asked[metric] }

type labelSet map[string]bool

func (s labelSet) String() string { return strings.Join(slices.Sorted(maps.Keys(s)), ", ") }

// labels returns those that the answer of a part of a query can have, and what in it does not exist.
func (c *Checker) labels(ctx context.Context, n *prom.Node) (labelSet, []string) {
	switch n.Type {
	case "vectorSelector", "matrixSelector":
		return c.selected(ctx, n)
	case "aggregation":
		return c.aggregated(ctx, n)
	case "call":
		return c.called(ctx, n)
	case "binaryExpr":
		return c.combined(ctx, n)
	case "numberLiteral", "stringLiteral":
		return labelSet{}, nil
	}
	return c.labels(ctx, n.Expr) // in parentheses, with a sign, or a subquery
}

func (c *Checker) aggregated(ctx context.Context, n *prom.Node) (labelSet, []string) {
	within, faults := c.labels(ctx, n.Expr)
	faults = append(faults, unknown(n.Op+" by", n.Grouping, within)...)
	if slices.Contains([]string{"topk", "bottomk", "limitk", "limit_ratio"}, n.Op) {
		return within, faults
	}
	return keep(within, n.Grouping, !n.Without), faults
}

func (c *Checker) called(ctx context.Context, n *prom.Node) (labelSet, []string) {
	labels, faults := labelSet{}, []string(nil)
	for _, arg := range n.Args {
		of, more := c.labels(ctx, arg)
		maps.Copy(labels, of)
		faults = append(faults, more...)
	}
	switch n.Func.Name {
	case "rate", "irate", "increase":
		faults = append(faults, c.notCounted(n.Func.Name, n.Args[0])...)
	case "histogram_quantile":
		faults = append(faults, unknown("histogram_quantile over", []string{"le"}, labels)...)
		delete(labels, "le")
	case "label_replace":
		labels[fmt.Sprint(n.Args[1].Val)] = true
		faults = append(faults, unknown("label_replace of", []string{fmt.Sprint(n.Args[3].Val)}, labels)...)
	}
	return labels, faults
}

// notCounted tells what is no counter, and has no rate for that.
func (c *Checker) notCounted(function string, arg *prom.Node) (faults []string) {
	if metric, ok := c.catalogue[arg.Name]; ok && metric.Type == "gauge" {
		faults = append(faults, fmt.Sprintf("%s of %s, which is a gauge", function, arg.Name))
	}
	return faults
}

func (c *Checker) combined(ctx context.Context, n *prom.Node) (labelSet, []string) {
	left, faults := c.labels(ctx, n.LHS)
	right, more := c.labels(ctx, n.RHS)
	faults = append(faults, more...)
	m := n.Matching
	if m == nil { // one side is a number
		maps.Copy(left, right)
		return left, faults
	}
	if m.On {
		both := maps.Clone(left)
		maps.DeleteFunc(both, func(label string, _ bool) bool { return !right[label] })
		faults = append(faults, unknown(n.Op+" on", m.Labels, both)...)
	}
	switch {
	case n.Op == "and" || n.Op == "unless":
		return left, faults
	case n.Op == "or":
		maps.Copy(left, right)
		return left, faults
	case m.Card == "many-to-one":
		return plus(left, m.Include), faults
	case m.Card == "one-to-many":
		return plus(right, m.Include), faults
	}
	return keep(left, m.Labels, m.On), faults
}
