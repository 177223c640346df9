package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"configservice/svc/internal/sqlstore"
)

// version is set by the linker.
var version = "dev"

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if runFamily := familyOf(args[0]); runFamily != nil {
			return runFamily(ctx, args, getenv, stdout, stderr)
		}
	}
	o, err := parseOptions(args, getenv)
	if err != nil {
		return refused(err, "config-service", help, stdout, stderr)
	}
	return ended(o.command()(ctx, o, stdout), stderr)
}

// refused answers options that are at fault, or that ask for help.
func refused(err error, program string, help func() string, stdout, stderr io.Writer) (code int) {
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help())
		return exitOK
	}
	fmt.Fprintf(stderr, "%v\n%s --help tells the options.\n", err, program)
	return exitUsage
}

// ended tells how a command has ended.
func ended(err error, stderr io.Writer) (code int) {
	if err != nil {
		fmt.Fprintln(stderr, "config-service:", err)
		return exitFailure
	}
	return exitOK
}

// familyOf returns the program of a sub-command that has options of its own,
// nil when the sub-command is none of those.
func familyOf(command string) func(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	switch {
	case command == "token":
		return runToken
	case slices.Contains(transferCommands, command):
		return runTransfer
	}
	return nil
}

// A command is what a sub-command does.
type command func(ctx context.Context, o options, stdout io.Writer) error

func (o options) command() command {
	switch o.Command {
	case "migrate":
		return migrate
	case "health":
		return probe
	case "version":
		return printVersion
	}
	return serve
}

func printVersion(_ context.Context, _ options, stdout io.Writer) error {
	_, err := fmt.Fprintln(stdout, "config-service", version)
	return err
}

// migrate brings the database's schema up to date, and no more.
func migrate(ctx context.Context, o options, stdout io.Writer) error {
	store, err := sqlstore.Open(ctx, o.DatabaseURL, o.storeOptions(nil))
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "the database's schema is up to date")
	return store.Close()
}

// probe asks a running service, or whatever answers at the URL that was given,
// whether it is ready: for health checks in containers that have no other program.
func probe(ctx context.Context, o options, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	url := o.HealthURL
	if url == "" {
		url = "http://" + dialAddress(o.Listen) + "/readyz"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only to be shown
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %s", url, resp.Status, body)
	}
	fmt.Fprintf(stdout, "%s", body)
	return nil
}
