// Command validate says whether the running pipeline, of make up or of make run,
// works: whether everything answers, and whether what happens is seen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run returns the exit code: 0 when every verdict is OK, 1 when one is not, 2 when
// the options are at fault.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, help())
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%v\nvalidate --help tells all options\n", err)
		return 2
	}
	failed := 0
	checks := newPipeline(o).checks()
	for _, c := range checks {
		finding, err := c.look(ctx)
		verdict := "OK  "
		if err != nil {
			failed++
			verdict, finding = "FAIL", err.Error()
		}
		fmt.Fprintf(stdout, "%s  %-15s %s\n", verdict, c.name, finding)
	}
	if failed > 0 {
		fmt.Fprintf(stderr, "validate: %d of %d do not work; observability/README.md tells what to do\n", failed, len(checks))
		return 1
	}
	return 0
}
