package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func noEnv(string) string { return "" }

func TestBadOptionsAreToldInFullAndExit2(t *testing.T) {
	var stdout, stderr bytes.Buffer
	getenv := func(name string) string { return map[string]string{"PORT_GRAFANA": "many"}[name] }
	code := run(t.Context(), []string{"--por=1", "now", "--port-offset=x"}, getenv, &stdout, &stderr)
	if code != 2 || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q", code, &stdout)
	}
	for _, want := range []string{"-por", `"now"`, `"x"`, `PORT_GRAFANA is "many"`, "--help"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not name %s:\n%s", want, &stderr)
		}
	}
}

func TestSettingsOfTheEnvironmentOverrideThoseOfTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".env")
	text := "# PORT_CADVISOR=1\nPORT_PROMETHEUS=19090\nPORT_GRAFANA=13001\nGRAFANA_ADMIN_PASSWORD='s3cret'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"PORT_GRAFANA": "23001"}[name] }
	o, err := parseOptions([]string{"--env-file", file, "--port-offset=100"}, getenv)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"PORT_CADVISOR": "8180", "PORT_PROMETHEUS": "19090", "PORT_GRAFANA": "23001", "GRAFANA_ADMIN_PASSWORD": "s3cret",
	} {
		if got := o.settings[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestWhereNothingRunsEveryVerdictIsFAIL(t *testing.T) {
	// A port that was free a moment ago.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	getenv := func(name string) string {
		if strings.HasPrefix(name, "PORT_") {
			return fmt.Sprint(port)
		}
		return ""
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), nil, getenv, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(stdout.String()) {
		if !strings.HasPrefix(line, "FAIL") || !strings.Contains(line, "make run starts it") {
			t.Errorf("verdict: %s", line)
		}
	}
	if !strings.Contains(stderr.String(), "14 of 14 do not work") {
		t.Errorf("stderr: %s", &stderr)
	}
}

// Prometheus answers here, and knows of trouble.
func TestTroubleIsNamed(t *testing.T) {
	for _, c := range []struct{ name, answer, want string }{
		{"targets", `{"data":{"activeTargets":[{"health":"down","lastError":"EOF","labels":{"job":"cadvisor","instance":"cadvisor:8080"}}]}}`, "down: cadvisor at cadvisor:8080 (EOF)"},
		{"targets", `{"data":{"activeTargets":[{"health":"unknown","labels":{"job":"cadvisor","instance":"c:1"}}]}}`, "cadvisor at c:1 (not read yet)"},
		{"targets", `{"data":{"activeTargets":[]}}`, "none are known to Prometheus"},
		{"targets", `<html>`, "invalid character"},
		{"data flows", `<html>`, "invalid character"},
		{"rules", `{"data":{"groups":[{"rules":[{"name":"Burn","health":"err","lastError":"bad label"}]}]}}`, "Burn: bad label"},
		{"rules", `{"data":{"groups":[]}}`, "no rules"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) }))
		o, err := parseOptions([]string{"--env-file=absent"}, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		_, o.settings["PORT_PROMETHEUS"], _ = net.SplitHostPort(server.Listener.Addr().String())
		p := newPipeline(o)
		p.firstRead = 0
		for _, check := range p.checks() {
			if check.name != c.name {
				continue
			}
			if finding, err := check.look(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, %v; want %q", c.name, finding, err, c.want)
			}
		}
		server.Close()
	}
}
