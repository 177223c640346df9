package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"configservice/observability/stack/supervise"
)

// runbooks is where the pages of the alerts are, from the root of the project.
const runbooks = "docs/runbooks"

// dashboards is the program that shows them: the viewer, or Grafana where
// GRAFANA_HOME names an installation of it.
func dashboards(o options, getenv func(string) string) supervise.Program {
	provisioning := filepath.Join(o.config, "grafana", "provisioning")
	if home := getenv("GRAFANA_HOME"); home != "" {
		return grafana(o, home, provisioning)
	}
	return supervise.Program{
		Name: "viewer",
		Command: []string{
			filepath.Join(o.bin, "viewer"),
			"--listen", o.address(dashboardsPort),
			"--prometheus", o.url(prometheusPort, ""),
			"--provisioning", provisioning,
			"--runbooks", runbooks,
		},
		Ports:  []supervise.Port{o.port(dashboardsPort, "dashboards")},
		Health: o.url(dashboardsPort, "/healthz"),
		URL:    o.url(dashboardsPort, "/"),
		Needs:  []string{"prometheus"},
		Files:  []string{provisioning, runbooks},
	}
}

// grafana gets the same files as the viewer. It takes relative paths as relative
// to its home, so all of them are absolute.
func grafana(o options, home, provisioning string) supervise.Program {
	config, data := filepath.Join(o.config, "grafana", "grafana.ini"), filepath.Join(o.data, "grafana")
	return supervise.Program{
		Name:    "grafana",
		Command: append(grafanaServer(home), "--homepath", absolute(home), "--config", absolute(config)),
		Env: []string{
			"GF_PATHS_DATA=" + absolute(data),
			"GF_PATHS_LOGS=" + absolute(o.logs()),
			"GF_PATHS_PROVISIONING=" + absolute(provisioning),
			"GF_SERVER_HTTP_ADDR=127.0.0.1",
			"GF_SERVER_HTTP_PORT=" + strconv.Itoa(dashboardsPort+o.offset),
			"PROMETHEUS_URL=" + o.url(prometheusPort, ""),
		},
		Ports:   []supervise.Port{o.port(dashboardsPort, "dashboards")},
		Health:  o.url(dashboardsPort, "/api/health"),
		URL:     o.url(dashboardsPort, "/"),
		Needs:   []string{"prometheus"},
		Files:   []string{config, provisioning},
		Prepare: func() error { return os.MkdirAll(data, 0o755) },
		// The first time it makes its own database.
		HealthyWithin: 3 * time.Minute,
	}
}

// grafanaServer is the command of an installation: grafana since version 9.2,
// grafana-server before.
func grafanaServer(home string) []string {
	if old := filepath.Join(home, "bin", "grafana-server"); executable(old) && !executable(filepath.Join(home, "bin", "grafana")) {
		return []string{old}
	}
	return []string{filepath.Join(home, "bin", "grafana"), "server"}
}

// checkGrafanaHome refuses an installation that is none.
func checkGrafanaHome(getenv func(string) string) error {
	home := getenv("GRAFANA_HOME")
	if home == "" || executable(grafanaServer(home)[0]) {
		return nil
	}
	return fmt.Errorf("GRAFANA_HOME: there is no program %s; name the directory where Grafana is installed, or unset it for the viewer",
		grafanaServer(home)[0])
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// absolute leaves a path as it is in the one case that it cannot: the working
// directory is gone, and then nothing starts anyway.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
