// Command drill provokes, on a native stack of its own, the trouble that each alert is about; it
// sees the alert fire in time, ends the trouble, and sees the alert clear.
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

	"configservice/internal/options"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run returns the exit code: 0 when every alert fired in time and cleared, 1 when one did not or the
// drill could not be done, 2 when the options are at fault.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var o drillOptions
	scenes, err := o.parse(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage+o.set().Help()+exits)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%v\ndrill --help tells all options\n", err)
		return 2
	case o.list:
		list(stdout)
		return 0
	}
	outcomes, err := drill(ctx, o.root, scenes, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "drill: %v\n", err)
		return 1
	}
	if !report(stdout, outcomes, getenv("CI") == "true") {
		return 1
	}
	return 0
}

type drillOptions struct {
	root string
	only string
	list bool
}

const usage = `usage: drill [OPTION...]

Provokes the trouble that each alert is about on a native stack of its own, beside any other, and
prints when each alert fired and cleared. All of it takes about 40 minutes.

options, each with its environment variable, which the flag overrides:
`

const exits = `
Exit codes: 0 every alert fired in time and cleared, 2 faulty options, 1 everything else.
`

func (o *drillOptions) set() *options.Set {
	s := options.NewSet("drill", "DRILL_")
	s.StringVar(&o.root, "root", ".", "`directory` of the project, with bin/ and observability/")
	s.StringVar(&o.only, "only", "", "`alerts` to drill, separated by commas; all, unless set")
	s.BoolVar(&o.list, "list", false, "say what is drilled, what is not, and why, and end")
	return s
}

// parse returns the scenes that are asked for.
func (o *drillOptions) parse(args []string, getenv func(string) string) ([]scene, error) {
	rest, err := o.set().Parse(args, getenv)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("unexpected arguments %q", rest)
	}
	if o.only == "" {
		return scenes(), nil
	}
	return choose(strings.Split(o.only, ","))
}

// choose returns the scenes in which the alerts are seen, each with these alerts alone.
func choose(alerts []string) ([]scene, error) {
	var chosen []scene
	found := map[string]bool{}
	for _, s := range scenes() {
		var wanted []expectation
		for _, e := range s.alerts {
			for _, alert := range alerts {
				if e.alert == alert {
					wanted = append(wanted, e)
					found[alert] = true
				}
			}
		}
		if s.alerts = wanted; len(wanted) > 0 {
			chosen = append(chosen, s)
		}
	}
	for _, alert := range alerts {
		if !found[alert] {
			return nil, fmt.Errorf("--only: no scene is about the alert %q; drill --list tells what there is", alert)
		}
	}
	return chosen, nil
}
