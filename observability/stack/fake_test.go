package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/internal/testwait"
)

// TestMain lets the test binary be the stack and each program that it runs: the
// tests put links to it, under the programs' names, into a directory bin/.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "stack":
		main()
	case "otelcol":
		fakeProgram("127.0.0.1:" + os.Getenv("COLLECTOR_HEALTH_PORT"))
	case "config-service":
		fakeProgram(os.Getenv("CONFIG_SERVICE_LISTEN"))
	case "cadvisor":
		fakeProgram(argument("-listen_ip") + ":" + argument("-port"))
	case "prometheus":
		fakeProgram(argument("--web.listen-address"))
	case "viewer":
		fakeProgram(argument("--listen"))
	case "grafana", "grafana-server":
		fakeProgram(os.Getenv("GF_SERVER_HTTP_ADDR") + ":" + os.Getenv("GF_SERVER_HTTP_PORT"))
	default:
		os.Exit(m.Run())
	}
}

func argument(flag string) string { return os.Args[slices.Index(os.Args, flag)+1] }

// fakeProgram is healthy on whatever path, tells its environment at /env and its
// arguments at /args, and stops on SIGTERM, unless FAKE_STUBBORN names it.
func fakeProgram(address string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	http.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/args", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Args[1:], "\n"))
	})
	http.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	go func() {
		fmt.Println(http.ListenAndServe(address, nil))
		os.Exit(99)
	}()
	fmt.Println("fake listens on", address)
	<-asked
	fmt.Println("asked to stop")
	if strings.Contains(os.Args[0], os.Getenv("FAKE_STUBBORN")) && os.Getenv("FAKE_STUBBORN") != "" {
		select {}
	}
}

// project is a directory like the project's root, with links for programs.
type project struct {
	t      *testing.T
	dir    string
	offset int
}

func newProject(t *testing.T) project {
	t.Helper()
	p := project{t: t, dir: t.TempDir(), offset: freeOffset(t)}
	for _, name := range []string{"stack", "otelcol", "config-service", "cadvisor", "prometheus", "viewer"} {
		p.link(filepath.Join(p.dir, "bin", name))
	}
	p.write("observability/otel-collector.yml", "# collector\n")
	p.write("observability/prometheus.yml", "# prometheus at 127.0.0.1:9090\n")
	p.write("observability/grafana/grafana.ini", "; grafana\n")
	p.write("observability/grafana/provisioning/dashboards/one.json", "{}")
	p.write("docs/runbooks/README.md", "# Runbooks\n")
	p.write("observability/rules/alerts.yml", "# rules\n")
	p.write("observability/targets/native/config-service.yml", "- targets: ['127.0.0.1:8000'] # direct\n")
	return p
}

// link makes path a program that is this one.
func (p project) link(path string) {
	p.t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(self, path))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p project) mkdir(name string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Join(p.dir, name), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) write(name, text string) {
	p.t.Helper()
	p.mkdir(filepath.Dir(name))
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// stack is a running stack, a process of its own as in real life.
type stack struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *testwait.Transcript // stdout and stderr
	ended chan struct{}
}

// start starts the stack of the project, on its offset unless args say another.
func (p project) start(env []string, args ...string) *stack {
	p.t.Helper()
	return p.startProgram("stack", env, args...)
}

func (p project) startProgram(name string, env []string, args ...string) *stack {
	p.t.Helper()
	s := &stack{t: p.t, out: testwait.NewTranscript(), ended: make(chan struct{})}
	s.cmd = exec.Command(filepath.Join(p.dir, "bin", name), args...)
	s.cmd.Dir = p.dir
	s.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", fmt.Sprintf("STACK_PORT_OFFSET=%d", p.offset))
	s.cmd.Env = append(s.cmd.Env, env...)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait()
	}()
	p.t.Cleanup(func() {
		s.signal(syscall.SIGTERM) // it takes its cgroups away, if it still can
		select {
		case <-s.ended:
		case <-time.After(testwait.Patience):
			s.signal(syscall.SIGKILL) // its programs die with it
			<-s.ended
		}
	})
	return s
}

func (s *stack) signal(signal syscall.Signal) { _ = s.cmd.Process.Signal(signal) }

func (s *stack) await(pattern string) []string {
	s.t.Helper()
	return s.out.Await(s.t, pattern, 1)
}

func (s *stack) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// end waits until the stack has ended and returns its exit code and output.
func (s *stack) end() (int, string) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(testwait.Patience):
		s.t.Fatalf("the stack did not end:\n%s", s.out.String())
	}
	return s.cmd.ProcessState.ExitCode(), s.out.String()
}
