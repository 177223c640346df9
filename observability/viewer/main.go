// Command viewer shows Grafana's dashboard files without Grafana: it serves a
// web app that draws them, the files themselves, the runbooks, and as much of
// Prometheus' API as is needed to read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
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
		fmt.Fprintf(stderr, "%v\nviewer --help tells all options\n", err)
		return 2
	}
	if err := serve(ctx, o, stdout); err != nil {
		fmt.Fprintf(stderr, "viewer: %v\n", err)
		return 1
	}
	return 0
}

// serve returns when it was asked to stop and the last answers are given.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	stopped, release := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer release()
	handler, err := newHandler(o)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("%w; --listen chooses another address", err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      queryTimeout + 15*time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	fmt.Fprintf(stdout, "dashboards on http://%s/\n", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-stopped.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}
