// Command loadtest puts the service under load, and proves that what its
// telemetry tells about the load is what happened.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// Exit codes. What comes first wins.
const (
	exitTrue      = 0  // every claim is true, every threshold was kept
	exitFalse     = 1  // a claim is false
	exitUnchecked = 2  // something could not be done or checked, or the options are at fault
	exitThreshold = 99 // the service did not keep a threshold of the scenario
)

// A command is one sub-command.
type command struct {
	name, arguments, does string
	run                   func(context.Context, invocation) (int, error)
}

func commands() []command {
	return []command{
		{"run", "SCENARIO", "put the service under the load of a scenario, verify, and write a report", runScenario},
		{"verify", "RUN", "judge a run that was kept anew, with what Prometheus tells of it now", verifyRun},
		{"report", "RUN", "write the report of a run that was kept anew", reportRun},
		{"compare", "RUN RUN", "tell whether the second run differs from the first by more than noise", compareRuns},
		{"list", "", "list the scenarios", list},
		{"bench", "RATE", "measure the tester alone: whether it keeps up with so many requests a second", bench},
	}
}

// An invocation is what a command is called with.
type invocation struct {
	options
	args           []string
	getenv         func(string) string
	stdout, stderr io.Writer
}

// run returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	call, c, err := parse(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help())
		return exitTrue
	case err != nil:
		fmt.Fprintf(stderr, "%v\nloadtest --help tells all commands and options\n", err)
		return exitUnchecked
	}
	call.stdout, call.stderr = stdout, stderr
	code, err := c.run(ctx, call)
	if err != nil {
		fmt.Fprintf(stderr, "loadtest: %s\n", oneLine(err))
		return exitUnchecked
	}
	return code
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
