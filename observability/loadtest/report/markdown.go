package report

import (
	"fmt"
	"slices"
	"strings"
)

func (r Run) markdown() string {
	var b strings.Builder
	_, verdict := r.summary()
	fmt.Fprintf(&b, "# Load test: %s\n\n%s\n\n%s.\n\n**%s.**\n", r.title(), r.Scenario.Summary, r.subtitle(), verdict)
	all := append([]table{r.claimTable()}, r.factTables()...)
	for _, c := range r.claimTables() {
		all = append(all, c.Table)
	}
	for _, t := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", t.Title)
		if t.Note != "" {
			fmt.Fprintf(&b, "%s\n\n", t.Note)
		}
		b.WriteString(t.markdown())
	}
	b.WriteString("\n## Dashboards at the time of the run\n\n")
	for _, l := range r.links() {
		fmt.Fprintf(&b, "- [%s](%s)\n", l.Name, l.URL)
	}
	return b.String()
}

func (t table) markdown() string {
	var b strings.Builder
	row := func(cells []string) {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(escaped, " | "))
	}
	row(t.Head)
	row(slices.Repeat([]string{"---"}, len(t.Head)))
	for _, cells := range t.Rows {
		row(cells)
	}
	return b.String()
}
