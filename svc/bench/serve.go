//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// An answer is what a bare server says to every request: what the service
// says, byte for byte.
type answer struct {
	Status int
	Header [][2]string
	Body   []byte
}

// serveHTTP is all that net/http itself needs to be told.
func (a answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	for _, field := range a.Header {
		h.Set(field[0], field[1])
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

// serve is the program as a server to compare with: "bare", net/http alone, or
// "otelhttp", the same in OpenTelemetry's own middleware; or as the "receiver" of
// everybody's telemetry.
func serve(ctx context.Context, args []string) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen, debug := flags.String("listen", "", ""), flags.String("debug-listen", "", "")
	file, kind := flags.String("answer", "", ""), flags.String("kind", "bare", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kind == "receiver" {
		return receive(ctx, *listen, *debug)
	}
	a, err := readAnswer(*file)
	if err != nil {
		return err
	}
	handler := http.Handler(a)
	if *kind == "otelhttp" {
		var shutdown func(context.Context) error
		if handler, shutdown, err = withOtelHTTP(ctx, handler); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, shutdown(context.WithoutCancel(ctx))) }()
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- http.Serve(listener, handler) }()
	// After the other, as a sign that it is there.
	go func() { failed <- http.ListenAndServe(*debug, profiles()) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

func readAnswer(file string) (a answer, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

func (a answer) write(file string) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// profiles serves what the Go runtime tells of itself.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return mux
}

// record asks a service for what it answers, to have a bare server repeat it.
func record(ctx context.Context, url string, header http.Header) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	r.Header = header
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		return answer{}, err
	}
	for name, values := range resp.Header {
		if name != "Date" { // net/http's own
			a.Header = append(a.Header, [2]string{name, strings.Join(values, ", ")})
		}
	}
	if a.Status != http.StatusOK && a.Status != http.StatusNotModified {
		return answer{}, fmt.Errorf("%s answered %s: %s", url, resp.Status, a.Body)
	}
	return a, nil
}

// header returns a field of the answer, as net/http spells its name.
func (a answer) header(name string) string {
	for _, field := range a.Header {
		if field[0] == name {
			return field[1]
		}
	}
	return ""
}
