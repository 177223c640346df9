// Command stack runs the service and its whole telemetry on one machine,
// without containers: it knows which programs there are, supervise runs them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"configservice/observability/stack/supervise"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run returns the exit code: 0 after a clean stop or --help, 2 when the options
// are at fault, 1 for everything else.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help())
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%v\nstack --help tells all options\n", err)
		return 2
	}
	if err := runStack(ctx, o, getenv, stdout); err != nil {
		fmt.Fprintf(stderr, "stack: %v\n", err)
		return 1
	}
	return 0
}

// runStack writes nothing but the lock before it knows that the stack can start.
func runStack(ctx context.Context, o options, getenv func(string) string, stdout io.Writer) error {
	stop, kill, release := untilSignalled(ctx)
	defer release()
	programs := pipeline(o, getenv)
	if err := checkFiles(programs); err != nil {
		return err
	}
	unlock, err := lockData(o)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkPorts(programs); err != nil {
		return err
	}
	if err := prepare(programs); err != nil {
		return err
	}
	return supervisor(o, programs, stdout, getenv).Run(stop, kill)
}

func supervisor(o options, programs []supervise.Program, stdout io.Writer, getenv func(string) string) *supervise.Supervisor {
	return &supervise.Supervisor{
		Programs: programs,
		Stdout:   stdout,
		Colour:   colourful(stdout, getenv),
		LogDir:   o.logs(),
		Cgroup:   o.cgroup(),
		HowTo: fmt.Sprintf("The dashboards are on %s\n  Ctrl-C, or kill %d, stops it all. The data stay in %s/.",
			o.url(dashboardsPort, "/"), os.Getpid(), filepath.Clean(o.data)),
		Pace: supervise.DefaultPace(),
	}
}

func lockData(o options) (unlock func(), err error) {
	if err := os.MkdirAll(o.logs(), 0o755); err != nil {
		return nil, fmt.Errorf("%w; --data chooses another directory", err)
	}
	unlock, err = supervise.Lock(o.data)
	if err != nil {
		return nil, fmt.Errorf("%w; stop that one, or choose another directory with --data", err)
	}
	return unlock, nil
}

// colourful holds to https://no-color.org.
func colourful(stdout io.Writer, getenv func(string) string) bool {
	file, ok := stdout.(*os.File)
	if !ok || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
