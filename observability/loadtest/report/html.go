package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
)

//go:embed page.html
var page string

// html returns a page that needs no other file and no network.
func (r Run) html() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{"verdict": isVerdict}).Parse(page)
	if err != nil {
		return nil, err
	}
	charts, err := r.charts()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Title": r.title(), "Summary": r.Scenario.Summary, "Subtitle": r.subtitle(), "Links": r.links(),
		"Claims": r.claimTable(), "Charts": charts, "Facts": r.factTables(), "Findings": r.findingTables(),
	})
	return b.Bytes(), err
}

// isVerdict says whether a cell is one, and so has a colour.
func isVerdict(cell string) bool {
	return slices.Contains([]string{"true", "false", "unchecked", "not asked"}, cell)
}
