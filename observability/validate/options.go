package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	cli "configservice/internal/options"
)

type options struct {
	envFile    string
	offset     int
	dashboards string            // directory of the dashboards that must be there
	settings   map[string]string // of the file and the environment, as Compose has them
}

// parseOptions reports all faults together.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var o options
	rest, err := o.set().Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	faults := []error{err}
	for _, arg := range rest {
		faults = append(faults, fmt.Errorf("unexpected argument %q", arg))
	}
	o.settings, err = readSettings(o.envFile, getenv)
	faults = append(faults, err)
	for name, port := range ports {
		text := o.settings[name]
		if text == "" {
			o.settings[name] = strconv.Itoa(port + o.offset)
			continue
		}
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 65535 {
			faults = append(faults, fmt.Errorf("%s is %q; it must be a port", name, text))
		}
	}
	return o, errors.Join(faults...)
}

func (o *options) set() *cli.Set {
	s := cli.NewSet("validate", "VALIDATE_")
	s.StringVar(&o.envFile, "env-file", "observability/.env", "`file` of make up's settings; without it, their defaults hold")
	s.IntVar(&o.offset, "port-offset", 0, "`number` added to every port that is not set, as of make run's stack")
	s.StringVar(&o.dashboards, "dashboards", "observability/grafana/provisioning/dashboards", "`directory` of the dashboards that must be there")
	return s
}

func help() string {
	var o options
	return `usage: validate [OPTION...]

Says of everything that make up or make run has started whether it works, and
sends one request to see whether it is seen. Start it in the root of the project.

options, each with its environment variable, which the flag overrides:
` + o.set().Help() + `
The ports and Grafana's password are those of make up's settings: PORT_…,
PUBLISH_ON, GRAFANA_ADMIN_PASSWORD, in the file or in the environment.

Exit codes: 0 all works, 1 something does not, 2 faulty options.
`
}

// ports are the settings that hold a port, with their defaults.
var ports = map[string]int{
	"PORT_CONFIG_SERVICE": 8000, "PORT_GRAFANA": 3001, "PORT_PROMETHEUS": 9090, "PORT_ALERTMANAGER": 9093,
	"PORT_OTLP_GRPC": 4317, "PORT_OTLP_HTTP": 4318, "PORT_COLLECTOR_EXPORTER": 8889, "PORT_CADVISOR": 8080,
}

// readSettings reads the lines NAME=VALUE of a file, if there is one. As with
// Compose, the environment overrides them.
func readSettings(file string, getenv func(string) string) (map[string]string, error) {
	settings := map[string]string{}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return settings, fmt.Errorf("--env-file: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), "=")
		if found && !strings.HasPrefix(name, "#") {
			settings[name] = strings.Trim(value, `"'`)
		}
	}
	for _, name := range []string{"PUBLISH_ON", "GRAFANA_ADMIN_USER", "GRAFANA_ADMIN_PASSWORD"} {
		override(settings, name, getenv)
	}
	for name := range ports {
		override(settings, name, getenv)
	}
	return settings, nil
}

func override(settings map[string]string, name string, getenv func(string) string) {
	if value := getenv(name); value != "" {
		settings[name] = value
	}
}
