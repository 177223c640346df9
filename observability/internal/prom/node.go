package prom

import "regexp"

// A Node is a part of a query, as Prometheus' parser reads it.
type Node struct {
	Type     string // vectorSelector, matrixSelector, aggregation, call, binaryExpr, …
	Name     string // of a selector; empty if it is given by a matcher of __name__
	Matchers []Matcher
	Grouping []string // of an aggregation
	Without  bool     // whether Grouping is what is dropped rather than what is kept
	Op       string
	Func     struct{ Name string }
	Args     []*Node
	Expr     *Node
	LHS, RHS *Node
	Matching *struct {
		Card    string // such as one-to-one
		On      bool   // whether Labels is what must match rather than what need not
		Labels  []string
		Include []string
	}
	Val any // of a literal
}

// A Matcher is one condition of a selector; Type is =, !=, =~ or !~.
type Matcher struct{ Name, Type, Value string }

// Walk calls visit for the node and all below it.
func (n *Node) Walk(visit func(*Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, below := range append([]*Node{n.Expr, n.LHS, n.RHS}, n.Args...) {
		below.Walk(visit)
	}
}

// Matches returns whether the condition holds for a value. A regular expression that does not
// compile holds for none.
func (m Matcher) Matches(value string) bool {
	switch m.Type {
	case "=":
		return value == m.Value
	case "!=":
		return value != m.Value
	}
	whole, err := regexp.Compile("^(?s:" + m.Value + ")$")
	return err == nil && whole.MatchString(value) == (m.Type == "=~")
}
