package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests run the program as a process of its own: this test binary, told so
// by an environment variable.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TEST_RUN_MAIN=1",
		"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none")
	return cmd
}

func TestBadUseIsToldInFullAndExits2(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"serv", "more", "--lisen=x", "--listen=nohost", "--max-body=many", "--database-max-connections=0",
		"--metrics-listen=8001", "--debug-listen=x", "--max-concurrent-requests=0", "--write-rate=-1", "--write-burst=0"},
		func(name string) string {
			return map[string]string{"CONFIG_SERVICE_DATABASE_URL": "mysql:x", "CONFIG_SERVICE_STOP_DEADLINE": "soon"}[name]
		}, &stdout, &stderr)
	if code != exitUsage || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q", code, &stdout)
	}
	for _, want := range []string{`"serv"`, `"more"`, "-lisen", `"nohost"`, `"many" for flag -max-body`,
		"--database-max-connections is 0", "--database-url",
		`--metrics-listen is "8001"`, `--debug-listen is "x"`, "--max-concurrent-requests is 0", "--write-rate is -1", "--write-burst is 0", `"soon" for CONFIG_SERVICE_STOP_DEADLINE`, "--help"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not name %s:\n%s", want, &stderr)
		}
	}
}

func TestHealthTakesOneURL(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"health", "localhost:8080", "more"}, func(string) string { return "" }, &stdout, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), `"localhost:8080" is not a URL`) || !strings.Contains(stderr.String(), `"more"`) {
		t.Errorf("exit code %d, stderr %q", code, &stderr)
	}
}

func TestHelpTellsCommandsAndOptions(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"--help"}, func(string) string { return "" }, &stdout, &stderr)
	if code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, &stderr)
	}
	for _, want := range append(commands, "--listen HOST:PORT", "CONFIG_SERVICE_LISTEN, default 127.0.0.1:8000", "OTEL_") {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help does not tell %s:\n%s", want, &stdout)
		}
	}
}

func TestFaultsOfTheWorldExit1AndNameTheCulprit(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel subtests, unlike a defer
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	if err := os.WriteFile(foreign, []byte(strings.Repeat("not a database", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"port taken", []string{"--listen=" + taken.Addr().String()}, []string{taken.Addr().String(), "address already in use", "--listen"}},
		{"foreign file", []string{"--database-url=sqlite:" + foreign}, []string{foreign, "not an SQLite database"}},
		{"foreign file, migrate", []string{"migrate", "--database-url=sqlite:" + foreign}, []string{foreign, "not an SQLite database"}},
		{"no service to probe", []string{"health", "--listen=127.0.0.1:1"}, []string{"127.0.0.1:1", "connection refused"}},
		{"no server at the URL", []string{"health", "http://127.0.0.1:1/ready"}, []string{"http://127.0.0.1:1/ready", "connection refused"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			cmd := program(t, tc.args...)
			cmd.Stderr = &stderr
			err := cmd.Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitFailure {
				t.Errorf("ended with %v, want exit code 1", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr does not say %s:\n%s", want, &stderr)
				}
			}
		})
	}
}

func TestMigrateThenServeFindsTheSchema(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
	for range 2 {
		if out, err := program(t, "migrate", "--database-url", url).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	p := start(t, "--database-url", url)
	p.get(t, "/readyz", http.StatusOK)
}

// A process is the service on a port of its own.
type process struct {
	*exec.Cmd
	address string
	stdout  *safeBuffer // the lines of it
	stderr  *bytes.Buffer
	exited  chan error
}

// start runs the service until the test ends and returns when it serves, on a
// port of its own unless args have another --listen.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startBinary(t, os.Args[0], args...)
}

// startBinary is start with another build of the program than this test's.
func startBinary(t *testing.T, binary string, args ...string) *process {
	t.Helper()
	cmd := program(t, append([]string{"--listen=127.0.0.1:0"}, args...)...)
	cmd.Path = binary
	return startCommand(t, cmd)
}

// startCommand is start with a command that is ready to run.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, stdout: &safeBuffer{}, stderr: &bytes.Buffer{}, exited: make(chan error, 1)}
	p.Cmd.Stderr = p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 16<<20) // of metrics on the console
	for p.address == "" && lines.Scan() {
		fmt.Fprintf(p.stdout, "%s\n", lines.Bytes())
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			p.address = line.Address
		}
	}
	if p.address == "" {
		t.Fatalf("the service did not start: %v\n%s", p.Wait(), p.stderr)
	}
	go func() {
		for lines.Scan() { // or a full pipe would stop the service
			fmt.Fprintf(p.stdout, "%s\n", lines.Bytes())
		}
		p.exited <- p.Wait()
	}()
	return p
}

func (p *process) url(path string) string { return "http://" + p.address + path }

func (p *process) get(t *testing.T, path string, want int) {
	t.Helper()
	resp, err := http.Get(p.url(path))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("GET %s answered %s, want %d", path, resp.Status, want)
	}
}

// do makes a request and returns the answer with its body, read to the end.
func do(t *testing.T, req *http.Request) (resp *http.Response, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// wait returns how the process ended, and fails the test when it does not.
func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.exited:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the service does not stop")
		return nil
	}
}

func TestProbeFollowsReadiness(t *testing.T) {
	p := start(t)
	if out, err := program(t, "health", "http://"+p.address+"/livez").CombinedOutput(); err != nil {
		t.Errorf("health of a URL: %v\n%s", err, out)
	}
	if out, err := program(t, "health", "http://"+p.address+"/no").CombinedOutput(); err == nil || !strings.Contains(string(out), "404") {
		t.Errorf("health of a URL that answers 404: %v\n%s", err, out)
	}
	if out, err := program(t, "health", "--listen", p.address).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// slowWrite sends a request's head and all but the last byte of its body, so
// that the request is in flight until finish is called.
func slowWrite(t *testing.T, p *process) (finish func() (*http.Response, error)) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	const body = `{"name":"slow"}`
	fmt.Fprintf(conn, "POST /api/v1/applications HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the service does not read the body: %q, %v", line, err)
	}
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, body[:len(body)-1])
	return func() (*http.Response, error) {
		io.WriteString(conn, body[len(body)-1:])
		return http.ReadResponse(r, nil)
	}
}

func TestRequestInFlightIsFinishedAtStop(t *testing.T) {
	p := start(t)
	finish := slowWrite(t, p)
	p.Process.Signal(syscall.SIGTERM)
	waitRefused(t, p)
	resp, err := finish()
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Errorf("the request in flight ended in %v, %v", resp, err)
	}
	if err := p.wait(t); err != nil {
		t.Errorf("%v\n%s", err, p.stderr)
	}
}

// waitRefused returns when the service takes no new connections.
func waitRefused(t *testing.T, p *process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", p.address)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("the service still takes connections")
}

func TestRequestThatNeverEndsIsCutOffAtTheDeadline(t *testing.T) {
	p := start(t, "--stop-deadline=200ms")
	slowWrite(t, p)
	p.Process.Signal(syscall.SIGTERM)
	err := p.wait(t)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitFailure || !strings.Contains(p.stderr.String(), "cut off") {
		t.Errorf("ended with %v, want exit code 1 and the reason\n%s", err, p.stderr)
	}
}

func TestReadinessTurnsOffBeforeTheListenerCloses(t *testing.T) {
	p := start(t, "--drain-delay=1m")
	p.get(t, "/readyz", http.StatusOK)
	p.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for status := 0; status != http.StatusServiceUnavailable; {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.url("/readyz"), nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		status = resp.StatusCode
	}
	p.get(t, "/livez", http.StatusOK)

	// The delay has a minute to go: only the second signal can end it now.
	p.Process.Signal(syscall.SIGTERM)
	err := p.wait(t)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the second signal ended it with %v", err)
	}
}

func TestMetricsAreServedAndSDKCanBeSwitchedOff(t *testing.T) {
	start(t).get(t, "/metrics", http.StatusOK)
	t.Setenv("OTEL_SDK_DISABLED", "true")
	p := start(t)
	p.get(t, "/metrics", http.StatusNotFound)
	p.get(t, "/health", http.StatusOK)
}
