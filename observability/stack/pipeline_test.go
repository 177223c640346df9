package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryPortOfThePipelineIsShiftedAndFitsAtTheLargestOffset(t *testing.T) {
	none := func(string) string { return "" }
	shifted := pipeline(options{offset: largestOffset}, none)
	for i, program := range pipeline(options{}, none) {
		for j, port := range program.Ports {
			got := shifted[i].Ports[j].Number
			if got != port.Number+largestOffset || got > 65535 {
				t.Errorf("%s: port %d becomes %d", program.Name, port.Number, got)
			}
		}
		if program.Health == shifted[i].Health || program.URL == shifted[i].URL {
			t.Errorf("%s: %s or %s is not shifted", program.Name, program.Health, program.URL)
		}
	}
}

func TestPrometheusGetsTheConfigurationAsItIsAndItsTargetsShifted(t *testing.T) {
	p := newProject(t)
	p.write("observability/targets/native/otel-collector.yml", `# The Collector at 127.0.0.1:8889 sees all.
- targets: ["127.0.0.1:8889", localhost:8888]
  labels: {path: "collector:1"}
`)
	p.write("data/targets/stale.yml", "- targets: ['127.0.0.1:1']\n")
	p.write("data/rules/stale.yml", "")
	err := writePrometheusConfig(filepath.Join(p.dir, "observability"), filepath.Join(p.dir, "data"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"prometheus.yml":             "# prometheus at 127.0.0.1:9090\n",
		"rules/alerts.yml":           "# rules\n",
		"targets/config-service.yml": "- targets: ['127.0.0.1:9000'] # direct\n",
		"targets/otel-collector.yml": `# The Collector at 127.0.0.1:9889 sees all.
- targets: ["127.0.0.1:9889", localhost:9888]
  labels: {path: "collector:1"}
`,
	}
	if diff := cmp.Diff(want, p.tree("data")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// tree returns every file below dir with its content.
func (p project) tree(dir string) map[string]string {
	p.t.Helper()
	files := map[string]string{}
	root := filepath.Join(p.dir, dir)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(root, path)
			files[relative] = p.read(filepath.Join(dir, relative))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

func TestTargetsThatCannotBeUsedAreNamed(t *testing.T) {
	p := newProject(t)
	config := filepath.Join(p.dir, "observability")
	err := writePrometheusConfig(config, filepath.Join(p.dir, "data"), 60000)
	if err == nil || !strings.Contains(err.Error(), "config-service.yml: 127.0.0.1:8000 cannot be shifted by 60000") {
		t.Errorf("beyond the last port: %v", err)
	}
	if err := os.Remove(filepath.Join(config, "targets", "native", "config-service.yml")); err != nil {
		t.Fatal(err)
	}
	err = writePrometheusConfig(config, filepath.Join(p.dir, "data"), 0)
	if err == nil || !strings.Contains(err.Error(), "nothing to scrape") {
		t.Errorf("no targets: %v", err)
	}
}
