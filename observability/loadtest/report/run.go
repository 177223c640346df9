// Package report keeps runs as files: run.json with everything that was seen,
// report.html and report.md for people.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/scenarios"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// A Run is one load with everything that was seen of it.
type Run struct {
	ID          string              `json:"id"`
	Scenario    scenarios.Scenario  `json:"scenario"`
	Quick       bool                `json:"quick"`
	Interrupted bool                `json:"interrupted"` // the load was ended before its time
	Target      string              `json:"target"`
	Grafana     string              `json:"grafana"`
	Load        verify.Load         `json:"load"`
	Counts      target.Counts       `json:"counts"` // of every answer, also those before and beside the load
	Response    load.Distribution   `json:"response"`
	Service     load.Distribution   `json:"service"`
	Lateness    load.Distribution   `json:"lateness"`
	Points      []load.Point        `json:"points"`
	Propagation *target.Propagation `json:"propagation,omitempty"`
	Knee        float64             `json:"knee,omitempty"` // requests a second that were kept up with; 0 where the rate did not rise
	Thresholds  []verify.Finding    `json:"thresholds"`
	Claims      []verify.Claim      `json:"claims"`
	Evidence    verify.Evidence     `json:"evidence"`
}

// The files of a run.
const (
	jsonFile     = "run.json"
	htmlFile     = "report.html"
	markdownFile = "report.md"
)

// Write writes the files of a run into a directory of its own under dir, and
// returns the path of the one for people.
func (r Run) Write(dir string) (string, error) {
	dir = filepath.Join(dir, r.ID)
	text, err1 := json.MarshalIndent(r, "", " ")
	page, err2 := r.html()
	if err := errors.Join(err1, err2, os.MkdirAll(dir, 0o755)); err != nil {
		return "", err
	}
	for name, content := range map[string][]byte{jsonFile: text, htmlFile: page, markdownFile: []byte(r.markdown())} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, htmlFile), nil
}

// Read reads a run from its directory.
func Read(dir string) (r Run, err error) {
	text, err := os.ReadFile(filepath.Join(dir, jsonFile))
	if err != nil {
		return r, fmt.Errorf("%w; a run is a directory with a %s, as loadtest run leaves it", err, jsonFile)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(dir, jsonFile), err)
	}
	return r, nil
}

// A link leads to a dashboard in the time of the run.
type link struct{ Name, URL string }

// links have a minute before and after, so that the load stands out.
func (r Run) links() (all []link) {
	const margin = time.Minute
	from, to := r.Load.Started.Add(-margin).UnixMilli(), r.Load.Stopped.Add(margin).UnixMilli()
	for _, uid := range []string{"load-test", "configuration-service", "container-metrics", "telemetry-pipeline", "slo"} {
		all = append(all, link{uid, fmt.Sprintf("%s/d/%s?from=%d&to=%d", r.Grafana, uid, from, to)})
	}
	return all
}

// title says what the run was.
func (r Run) title() string {
	form := ""
	if r.Quick {
		form = ", short form"
	}
	if r.Interrupted {
		form += ", ended early"
	}
	return r.Scenario.Name + form
}

// subtitle says where and when.
func (r Run) subtitle() string {
	return fmt.Sprintf("%s on %s, from %s for %s", r.ID, r.Target,
		r.Load.Started.UTC().Format(time.RFC3339), r.Load.Stopped.Sub(r.Load.Started).Round(time.Second))
}
