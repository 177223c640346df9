//go:build linux

// Command bench measures what the service costs a request, against the limit of
// the machine and against peers, in rounds in which each has its turn. It knows
// the service by its command line and by HTTP alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	cli "configservice/internal/options"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "serve" {
		return ended(serve(ctx, args[1:]), stderr)
	}
	o, err := parseOptions(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help())
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nbench --help tells the options.\n", err)
		return exitUsage
	}
	debug.SetGCPercent(-1) // a pause of ours would count as the server's
	debug.SetMemoryLimit(2 << 30)
	return ended(measure(ctx, o, stdout), stderr)
}

func ended(err error, stderr io.Writer) int {
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailure
	}
	return exitOK
}

// options are what a user may set.
type options struct {
	plan     string // one of plans
	bin      string
	rounds   int
	turn     time.Duration
	size     int
	json     string
	profiles string
}

func (o *options) set() *cli.Set {
	s := cli.NewSet("bench", "BENCH_")
	s.StringVar(&o.bin, "bin", "bin", "`directory` of the programs to measure")
	s.IntVar(&o.rounds, "rounds", 5, "`number` of turns that each row gets")
	s.DurationVar(&o.turn, "turn", 2*time.Second, "`time` that a turn takes")
	s.IntVar(&o.size, "size", 1_000_000, "`number` of configurations in the large store")
	s.StringVar(&o.json, "json", "", "`file` that gets all samples as JSON")
	s.StringVar(&o.profiles, "profiles", "", "`directory` that gets a CPU profile of each row, for go tool pprof")
	return s
}

func parseOptions(args []string, getenv func(string) string) (o options, err error) {
	rest, err := o.set().Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	faults := []error{err}
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	if len(rest) > 0 {
		o.plan, rest = rest[0], rest[1:]
	}
	_, known := plans()[o.plan]
	fault(!known, "there is no plan %q, only %s", o.plan, planNames())
	fault(len(rest) > 0, "unexpected arguments %q", rest)
	fault(o.rounds < 2, "--rounds is %d; it must be at least 2, or there is no spread", o.rounds)
	fault(o.turn < 100*time.Millisecond, "--turn is %s; it must be at least 100ms", o.turn)
	fault(o.size < 10*perApplication, "--size is %d; it must be at least %d", o.size, 10*perApplication)
	return o, errors.Join(faults...)
}

func help() string {
	var o options
	return `bench measures the service against the machine and against peers.

usage: bench PLAN... [OPTION...]

plans:
` + describePlans() + `
options, each with its environment variable, which the flag overrides:
` + o.set().Help()
}
