package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	cli "configservice/internal/options"
	"configservice/observability/loadtest/verify"
)

// options are what a user may set.
type options struct {
	offset int

	target, metrics, collector, prometheus, grafana string

	token       string
	quick       bool
	connections int
	sampled     float64
	settle      time.Duration
	claims      string
	dashboards  string
	out         string
}

func (o *options) set() *cli.Set {
	s := cli.NewSet("loadtest", "LOADTEST_")
	s.IntVar(&o.offset, "port-offset", 0, "`number` added to the ports of all URLs that are not set, as for bin/stack")
	s.StringVar(&o.target, "target", "", "`URL` of the service; http://localhost:8000 if not set")
	s.StringVar(&o.metrics, "metrics", "", "`URL` of the service's metrics; /metrics of the target if not set")
	s.StringVar(&o.collector, "collector", "", "`URL` of the Collector's exporter; http://localhost:8889/metrics if not set")
	s.StringVar(&o.prometheus, "prometheus", "", "`URL` of Prometheus; http://localhost:9090 if not set")
	s.StringVar(&o.grafana, "grafana", "", "`URL` of the dashboards, for links; http://localhost:3001 if not set")
	s.StringVar(&o.token, "token", "", "bearer `token`, where the service wants one; better in the environment")
	s.BoolVar(&o.quick, "quick", false, "the short form of the scenario")
	s.IntVar(&o.connections, "connections", 128, "largest `number` of requests that are under way at a time, each on a connection that is kept alive")
	s.Float64Var(&o.sampled, "sampled", .05, "`share` of requests that are sent as part of a sampled trace, from 0 to 1")
	s.DurationVar(&o.settle, "settle", 15*time.Second, "longest `time` for the pipeline to catch up after the load")
	s.StringVar(&o.claims, "claims", strings.Join(verify.ClaimIDs(), ","), "`list` of the claims to verify; none of them with \"none\"")
	s.StringVar(&o.dashboards, "dashboards", "observability/grafana/provisioning/dashboards", "`directory` of the dashboards whose panels are verified")
	s.StringVar(&o.out, "out", "data/loadtest", "`directory` for reports, one directory a run")
	return s
}

// parse reports all faults together.
func parse(args []string, getenv func(string) string) (invocation, command, error) {
	call := invocation{getenv: getenv}
	rest, err := call.set().Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return call, command{}, err
	}
	faults := []error{err}
	var c command
	if len(rest) == 0 {
		faults = append(faults, errors.New("a command is missing"))
	} else {
		c, call.args, err = find(rest[0]), rest[1:], nil
		if c.run == nil {
			faults = append(faults, fmt.Errorf("there is no command %q", rest[0]))
		} else if n := len(strings.Fields(c.arguments)); n != len(call.args) {
			faults = append(faults, fmt.Errorf("%s takes %s, not %d arguments", c.name, cmp.Or(c.arguments, "no arguments"), len(call.args)))
		}
	}
	return call, c, errors.Join(append(faults, call.check()...)...)
}

func find(name string) command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return command{}
}

// check completes what is not set and reports what makes no sense.
func (o *options) check() (faults []error) {
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	o.complete()
	for name, value := range map[string]string{"target": o.target, "metrics": o.metrics, "collector": o.collector, "prometheus": o.prometheus, "grafana": o.grafana} {
		u, err := url.Parse(value)
		fault(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "--%s is %q; it must be a URL like http://localhost:8000", name, value)
	}
	fault(o.offset < 0 || o.offset > 50000, "--port-offset is %d; it must be from 0 to 50000", o.offset)
	fault(o.connections < 1 || o.connections > 10000, "--connections is %d; it must be from 1 to 10000", o.connections)
	fault(!(o.sampled >= 0 && o.sampled <= 1), "--sampled is %g; it must be from 0 to 1", o.sampled)
	fault(o.settle <= 0, "--settle is %s; it must be positive", o.settle)
	for _, id := range o.claimIDs() {
		fault(!slices.Contains(verify.ClaimIDs(), id), "--claims names %q; there are %s, and none", id, strings.Join(verify.ClaimIDs(), ","))
	}
	return faults
}

// local is a URL of a stack on this machine.
func (o *options) local(port int, path string) string {
	return "http://localhost:" + strconv.Itoa(port+o.offset) + path
}

// otlp is where the tester's own metrics go unless OTEL_* variables say otherwise.
func (o *options) otlp() string { return o.local(4317, "") }

func (o *options) complete() {
	for value, fallback := range map[*string]string{
		&o.target: o.local(8000, ""), &o.collector: o.local(8889, "/metrics"), &o.prometheus: o.local(9090, ""), &o.grafana: o.local(3001, ""),
	} {
		if *value == "" {
			*value = fallback
		}
		*value = strings.TrimSuffix(*value, "/")
	}
	if o.metrics == "" {
		o.metrics = o.target + "/metrics"
	}
}

// claimIDs is empty where nothing is to be verified.
func (o *options) claimIDs() (ids []string) {
	if o.claims == "none" {
		return nil
	}
	for id := range strings.SplitSeq(o.claims, ",") {
		ids = append(ids, strings.TrimSpace(id))
	}
	return ids
}

func help() string {
	var o options
	var list strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&list, "  %-16s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.does)
	}
	return `loadtest puts the service under load and verifies what its telemetry tells.

usage: loadtest COMMAND [OPTION...]

commands:
` + list.String() + `
options, each with its environment variable, which the flag overrides:
` + o.set().Help() + `
Its own metrics leave by OTLP as the standard OTEL_* variables say.
Ctrl-C ends the load, not the report; twice, all of it.

Exit codes: 0 all claims true, 1 a claim is false, 2 something could not be
checked, 99 the service missed a threshold of the scenario.
`
}
