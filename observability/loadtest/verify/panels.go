package verify

// Panels is what the dashboards show of the run.
type Panels struct {
	Missing string `json:"missing"` // why none was looked at, or empty
}

func judgePanels(e Evidence) []Finding {
	return []Finding{missing("dashboards", e.Panels.Missing)}
}
