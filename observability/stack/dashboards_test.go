package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lines asks a fake program for its environment or its arguments.
func (p project) lines(path string) []string {
	p.t.Helper()
	response, err := http.Get(options{offset: p.offset}.url(dashboardsPort, path))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestTheViewerShowsThisStacksPrometheusAndFiles(t *testing.T) {
	p := newProject(t)
	s := p.start(nil)
	s.await(healthy)
	o := options{offset: p.offset}
	want := []string{
		"--listen", o.address(dashboardsPort), "--prometheus", o.url(prometheusPort, ""),
		"--provisioning", "observability/grafana/provisioning", "--runbooks", "docs/runbooks",
	}
	if got := p.lines("/args"); !slices.Equal(got, want) {
		t.Errorf("the viewer was started with %q, want %q", got, want)
	}
	s.await("The dashboards are on " + o.url(dashboardsPort, "/"))
}

func TestGrafanaShowsTheSameFilesWhereItIsInstalled(t *testing.T) {
	for name, arguments := range map[string][]string{"grafana": {"server"}, "grafana-server": nil} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			home := t.TempDir()
			p.link(filepath.Join(home, "bin", name))
			if err := os.Remove(filepath.Join(p.dir, "bin", "viewer")); err != nil { // it is not needed
				t.Fatal(err)
			}
			p.start([]string{"GRAFANA_HOME=" + home}).await(healthy)
			o := options{offset: p.offset}
			want := append(arguments, "--homepath", home, "--config", filepath.Join(p.dir, "observability/grafana/grafana.ini"))
			if got := p.lines("/args"); !slices.Equal(got, want) {
				t.Errorf("Grafana was started with %q, want %q", got, want)
			}
			env := p.lines("/env")
			for _, want := range []string{
				"GF_PATHS_PROVISIONING=" + filepath.Join(p.dir, "observability/grafana/provisioning"),
				"GF_PATHS_DATA=" + filepath.Join(p.dir, "data/grafana"),
				"PROMETHEUS_URL=" + o.url(prometheusPort, ""),
			} {
				if !slices.Contains(env, want) {
					t.Errorf("%s is missing in Grafana's environment", want)
				}
			}
			if _, err := os.Stat(filepath.Join(p.dir, "data", "grafana")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAGrafanaHomeWithoutGrafanaIsRefusedWithTheRemedy(t *testing.T) {
	code, out := newProject(t).start([]string{"GRAFANA_HOME=/no/such/place"}).end()
	want := "GRAFANA_HOME: there is no program /no/such/place/bin/grafana; name the directory where Grafana is installed, or unset it for the viewer\n" +
		"stack --help tells all options\n"
	if code != 2 || out != want {
		t.Errorf("exit code %d, want 2; output\n%swant\n%s", code, out, want)
	}
}
