package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
)

// options say how this stack differs from any other.
type options struct {
	offset int    // added to every port
	data   string // directory of what outlives a run
	bin    string // directory of the programs
	config string // directory of otel-collector.yml and prometheus.yml
}

// option is one row of the options: the flag wins over the environment variable,
// that over the default.
type option struct {
	flag, env, fallback, help string
	set                       func(*options, string) error
}

// errHelp is returned when the user asked for help.
var errHelp = flag.ErrHelp

// largestOffset keeps the largest port of the pipeline within the 65535 there are.
const largestOffset = 65535 - collectorHealthPort

func optionTable() []option {
	return []option{
		{"port-offset", "STACK_PORT_OFFSET", "0", "added to every port, so that stacks run side by side",
			func(o *options, v string) (err error) { o.offset, err = parseOffset(v); return err }},
		{"data", "STACK_DATA", "data", "directory for databases and logs; a second run picks it up",
			func(o *options, v string) (err error) { o.data, err = nonEmpty(v); return err }},
		{"bin", "STACK_BIN", "bin", "directory of the programs",
			func(o *options, v string) (err error) { o.bin, err = nonEmpty(v); return err }},
		{"config", "STACK_CONFIG", "observability", "directory of otel-collector.yml, prometheus.yml, rules and targets",
			func(o *options, v string) (err error) { o.config, err = nonEmpty(v); return err }},
	}
}

func parseOffset(text string) (int, error) {
	offset, err := strconv.Atoi(text)
	if err != nil || offset < 0 || offset > largestOffset {
		return 0, fmt.Errorf("%q is not a whole number from 0 to %d", text, largestOffset)
	}
	return offset, nil
}

func nonEmpty(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", errors.New("it is empty; it must name a directory")
	}
	return text, nil
}

// parseOptions reports all faults together.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	given, faults := parseFlags(args)
	if errors.Is(faults, errHelp) {
		return options{}, errHelp
	}
	var o options
	for _, row := range optionTable() {
		value, from := row.value(given, getenv)
		if err := row.set(&o, value); err != nil {
			faults = errors.Join(faults, fmt.Errorf("%s: %w", from, err))
		}
	}
	return o, errors.Join(faults, checkListen(o, getenv))
}

// value returns what the row's option is set to and by what.
func (row option) value(given map[string]string, getenv func(string) string) (value, from string) {
	if value, ok := given[row.flag]; ok {
		return value, "--" + row.flag
	}
	if value := getenv(row.env); value != "" {
		return value, row.env
	}
	return row.fallback, "--" + row.flag
}

// parseFlags goes on after a fault, so that one message can tell them all.
func parseFlags(args []string) (given map[string]string, faults error) {
	given = map[string]string{}
	flags := flag.NewFlagSet("stack", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, row := range optionTable() {
		flags.Func(row.flag, "", func(value string) error { given[row.flag] = value; return nil })
	}
	for len(args) > 0 {
		err := flags.Parse(args)
		switch rest := flags.Args(); {
		case errors.Is(err, flag.ErrHelp):
			return nil, errHelp
		case err != nil:
			faults = errors.Join(faults, err)
			if len(rest) == len(args) { // Parse stays at what is no flag at all, like "-="
				rest = rest[1:]
			}
			args = rest
		case len(rest) > 0:
			faults = errors.Join(faults, fmt.Errorf("unexpected argument %q", rest[0]))
			args = rest[1:]
		default:
			args = nil
		}
	}
	return given, faults
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
	var text strings.Builder
	text.WriteString("Usage: stack [options]\n\n" +
		"Runs the configuration service, the OpenTelemetry Collector, cAdvisor and Prometheus\n" +
		"on 127.0.0.1 until Ctrl-C. Start it in the root of the project.\n\n" +
		"An option is a flag, or else an environment variable, or else its default:\n")
	for _, row := range optionTable() {
		fmt.Fprintf(&text, "  --%-12s %s (%s, default %s)\n", row.flag, row.help, row.env, row.fallback)
	}
	text.WriteString("\nThe service also obeys your own CONFIG_SERVICE_* and OTEL_* variables where they are set.\n" +
		"NO_COLOR switches colours off.\n" +
		"\nExit codes: 0 stopped when asked, 2 faulty options, 1 everything else.\n")
	return text.String()
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
