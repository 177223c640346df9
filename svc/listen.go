package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
)

// listenOn opens the listener of an option.
func listenOn(option, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another --%s, or stop the program that has it", err, option)
	}
	return l, nil
}

// serveBeside answers on the listeners that are for operators alone, until
// stop.
func (s *service) serveBeside() (stop func() error, err error) {
	stopOperation, err := s.serveOn("metrics-listen", s.MetricsListen, s.operation)
	if err != nil {
		return nil, err
	}
	stopDebug, err := s.serveOn("debug-listen", s.DebugListen, profiles())
	if err != nil {
		return nil, errors.Join(err, stopOperation())
	}
	return func() error { return errors.Join(stopDebug(), stopOperation()) }, nil
}

// serveOn answers by h on the listener of an option until stop. Where the
// option has no address, it does nothing.
func (s *service) serveOn(option, address string, h http.Handler) (stop func() error, err error) {
	if address == "" {
		return func() error { return nil }, nil
	}
	l, err := listenOn(option, address)
	if err != nil {
		return nil, err
	}
	server, failed := s.server(h), make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	s.logger.Info("serving operators", "option", "--"+option, "address", l.Addr().String())
	return func() error {
		err := shutdown(server, s.StopDeadline)
		if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
			err = errors.Join(err, fmt.Errorf("--%s: %w", option, failure))
		}
		return err
	}, nil
}

// profiles serves what the Go runtime tells of the running program, for
// `go tool pprof`.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
