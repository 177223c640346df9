package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"

	cli "configservice/internal/options"
)

type options struct {
	listen       string
	prometheus   *url.URL
	provisioning string // directory of Grafana's dashboards/ and datasources/
	runbooks     string // directory of the alerts' pages
}

// parseOptions reports all faults together.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var o options
	var prometheus string
	rest, err := o.set(&prometheus).Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	faults := []error{err}
	for _, arg := range rest {
		faults = append(faults, fmt.Errorf("unexpected argument %q", arg))
	}
	if _, _, err := net.SplitHostPort(o.listen); err != nil {
		faults = append(faults, fmt.Errorf("--listen: %w; it must be HOST:PORT", err))
	}
	o.prometheus, err = url.Parse(prometheus)
	if err != nil || o.prometheus.Host == "" || o.prometheus.Scheme != "http" && o.prometheus.Scheme != "https" {
		faults = append(faults, fmt.Errorf("--prometheus: %q is not an address like http://127.0.0.1:9090", prometheus))
	}
	faults = append(faults, wantDirectory("provisioning", o.provisioning), wantDirectory("runbooks", o.runbooks))
	return o, errors.Join(faults...)
}

func wantDirectory(option, path string) error {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return fmt.Errorf("--%s: %q is not a directory; start the viewer in the root of the project, or name it", option, path)
	}
	return nil
}

func (o *options) set(prometheus *string) *cli.Set {
	s := cli.NewSet("viewer", "VIEWER_")
	s.StringVar(&o.listen, "listen", "127.0.0.1:3001", "`address` to listen on; who reaches it sees all metrics")
	s.StringVar(prometheus, "prometheus", "http://127.0.0.1:9090", "`URL` of Prometheus")
	s.StringVar(&o.provisioning, "provisioning", "observability/grafana/provisioning", "`directory` of Grafana's dashboards/*.json and datasources/*.yml")
	s.StringVar(&o.runbooks, "runbooks", "docs/runbooks", "`directory` of the runbooks, a Markdown file for each alert")
	return s
}

func help() string {
	var o options
	var prometheus string
	return `usage: viewer [OPTION...]

Shows Grafana's dashboard files, live, without Grafana, until Ctrl-C.

options, each with its environment variable, which the flag overrides:
` + o.set(&prometheus).Help() + `
Exit codes: 0 stopped when asked, 2 faulty options, 1 everything else.
`
}
