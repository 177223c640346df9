// Package nativestack runs a native stack of its own for a test or a drill, on ports of its own, and
// throws it away.
package nativestack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"configservice/observability/internal/prom"
)

// The ports of a stack before its offset is added.
const (
	Service    = 8000
	OTLP       = 4317
	OTLPHTTP   = 4318
	Collector  = 8888
	Cadvisor   = 8080
	Prometheus = 9090
	Dashboards = 3001
)

// Options say how a stack differs from that of `make run`.
type Options struct {
	Root   string   // of the project, whose bin/ has the programs
	Bin    string   // directory of programs, if not Root/bin
	Config string   // directory of the configuration, if not Root/observability
	Dir    string   // of data and logs; it must be there
	Env    []string // in addition to the environment
}

// A Stack is one that runs.
type Stack struct {
	offset int
	dir    string
	cmd    *exec.Cmd
	out    transcript
	ended  chan struct{}
}

// Start returns when every program is healthy, or with what the stack said instead.
func Start(ctx context.Context, o Options) (*Stack, error) {
	offset, err := freeOffset()
	if err != nil {
		return nil, err
	}
	s := &Stack{offset: offset, dir: o.Dir, ended: make(chan struct{})}
	s.cmd = exec.Command(filepath.Join(o.Root, "bin", "stack"), "--port-offset", strconv.Itoa(offset), "--data", o.Dir,
		"--bin", either(o.Bin, filepath.Join(o.Root, "bin")), "--config", either(o.Config, filepath.Join(o.Root, "observability")))
	s.cmd.Dir = o.Root
	s.cmd.Env = append(os.Environ(), o.Env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	// A Ctrl-C is for whoever started the stack; that one stops it.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; make build builds it", err)
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in what it said
		close(s.ended)
	}()
	if err := s.awaitHealth(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func either(given, otherwise string) string {
	if given != "" {
		return given
	}
	return otherwise
}

func (s *Stack) awaitHealth(ctx context.Context) error {
	healthy := regexp.MustCompile(`all healthy in [0-9.]+ s`)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if healthy.MatchString(s.Said()) {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("the stack did not start:\n%s", s.Said())
		case <-ctx.Done():
			return fmt.Errorf("%w while the stack started:\n%s", ctx.Err(), s.Said())
		}
	}
}

// Stop ends the stack and returns when all of it is gone.
func (s *Stack) Stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.ended:
		return nil
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill() // it takes its programs along
		<-s.ended
		return fmt.Errorf("the stack did not stop within a minute, and was killed:\n%s", s.Said())
	}
}

// Said is all that the stack and its programs wrote so far.
func (s *Stack) Said() string { return s.out.String() }

// URL is that of a port and a path below it.
func (s *Stack) URL(port int, path string) string { return "http://" + s.Address(port) + path }

// Address is the host and port of one of the ports of the stack.
func (s *Stack) Address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port+s.offset) }

// Prometheus asks that of the stack.
func (s *Stack) Prometheus() prom.Client { return prom.Client{URL: s.URL(Prometheus, "")} }

// PID is the process that runs a program now, such as config-service.
func (s *Stack) PID(program string) (int, error) {
	started := regexp.MustCompile(regexp.QuoteMeta(program)+` is healthy after .*\(pid (\d+)\)`).FindAllStringSubmatch(s.Said(), -1)
	if len(started) == 0 {
		return 0, fmt.Errorf("the stack does not run %s", program)
	}
	return strconv.Atoi(started[len(started)-1][1])
}

// freeOffset returns one at which all ports are free. Stacks that start at the same moment begin to
// look at different places.
func freeOffset() (int, error) {
	for offset := 20000 + os.Getpid()%5000; offset < 28000; offset += 7 {
		if free(offset) {
			return offset, nil
		}
	}
	return 0, errors.New("there is no offset at which the ports of a stack are free")
}

func free(offset int) bool {
	for _, port := range []int{Service, OTLP, OTLPHTTP, 8889, Collector, 13133, Cadvisor, Prometheus, Dashboards} {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+offset))
		if err != nil {
			return false
		}
		_ = listener.Close() // nothing was sent
	}
	return true
}

// A transcript collects what several write at once.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(text)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
