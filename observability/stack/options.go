package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	cli "configservice/internal/options"
)

// options say how this stack differs from any other.
type options struct {
	offset int    // added to every port
	data   string // directory of what outlives a run
	bin    string // directory of the programs
	config string // directory of otel-collector.yml, prometheus.yml and grafana/
}

// largestOffset keeps the largest port of the pipeline within the 65535 there are.
const largestOffset = 65535 - collectorHealthPort

func (o *options) set() *cli.Set {
	s := cli.NewSet("stack", "STACK_")
	s.IntVar(&o.offset, "port-offset", 0, "`number` added to every port, so that stacks run side by side")
	s.StringVar(&o.data, "data", "data", "`directory` for databases and logs; a second run picks it up")
	s.StringVar(&o.bin, "bin", "bin", "`directory` of the programs")
	s.StringVar(&o.config, "config", "observability", "`directory` of otel-collector.yml, prometheus.yml, rules, targets and grafana")
	return s
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
	if o.offset < 0 || o.offset > largestOffset {
		faults = append(faults, fmt.Errorf("--port-offset is %d; it must be from 0 to %d", o.offset, largestOffset))
	}
	for name, value := range map[string]string{"data": o.data, "bin": o.bin, "config": o.config} {
		if strings.TrimSpace(value) == "" {
			faults = append(faults, fmt.Errorf("--%s is empty; it must name a directory", name))
		}
	}
	return o, errors.Join(append(faults, checkListen(o, getenv), checkGrafanaHome(getenv))...)
}

// checkListen refuses a service address that the stack could not find: the
// targets of Prometheus and the health check go by the port of the pipeline.
func checkListen(o options, getenv func(string) string) error {
	listen := getenv("CONFIG_SERVICE_LISTEN")
	if listen == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(listen)
	if want := strconv.Itoa(servicePort + o.offset); err != nil || port != want {
		return fmt.Errorf("CONFIG_SERVICE_LISTEN: %q is not an address with port %s; unset it, or shift all ports with --port-offset", listen, want)
	}
	return nil
}

func help() string {
	var o options
	return `usage: stack [OPTION...]

Runs the configuration service, the OpenTelemetry Collector, cAdvisor,
Prometheus and the dashboards on 127.0.0.1 until Ctrl-C. Start it in the root
of the project.

options, each with its environment variable, which the flag overrides:
` + o.set().Help() + `
The service also obeys your own CONFIG_SERVICE_* and OTEL_* variables where they
are set. GRAFANA_HOME names an installation of Grafana that shows the dashboards
instead of the viewer; for the panels' links to runbooks, link docs/runbooks to
public/runbooks in it. NO_COLOR switches colours off.

Exit codes: 0 stopped when asked, 2 faulty options, 1 everything else.
`
}

func (o options) logs() string { return filepath.Join(o.data, "logs") }

// cgroup is the parent of the programs' control groups. Two stacks never share
// an offset: their ports would clash.
func (o options) cgroup() string {
	if o.offset == 0 {
		return "config-service-stack"
	}
	return "config-service-stack-" + strconv.Itoa(o.offset)
}
