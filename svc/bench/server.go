//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A server is a program under test, in a process of its own.
type server struct {
	name    string
	address string // HOST:PORT of what is measured
	debug   string // HOST:PORT with /debug/pprof, empty when it has none
	cmd     *exec.Cmd
	log     string
	pinned  bool
	exited  chan struct{} // closed when it has ended
}

// A program is how a server is started.
type program struct {
	name      string
	command   []string
	env       []string
	address   string
	debug     string
	ready     string // URL that answers 200 once it serves
	processor string // the only one that it may use; empty: any
}

// Of a pinned load and its server, each has a processor of its own. Go's runtime
// then makes do with one, too.
const (
	loadCPU   = "0"
	serverCPU = "1"
)

// startDeadline bounds how long a program may take until it serves.
const startDeadline = 60 * time.Second

// start runs a program until it serves. Its lines go to a file in dir.
func (p program) start(ctx context.Context, dir string) (*server, error) {
	log, err := os.Create(filepath.Join(dir, p.name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &server{name: p.name, address: p.address, debug: p.debug, log: log.Name(), pinned: p.processor == serverCPU, exited: make(chan struct{})}
	command := p.command
	if p.processor != "" {
		command = append([]string{"taskset", "--cpu-list", p.processor}, command...)
	}
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(os.Environ(), p.env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // a Ctrl-C is for us alone
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	go func() { defer close(s.exited); _ = s.cmd.Wait() }()
	if err := s.await(ctx, p.ready); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// await returns when url answers 200.
func (s *server) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	for {
		if _, err := fetch(ctx, url); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w\n%s", s.name, ctx.Err(), s.lastLines())
		case <-s.exited:
			return fmt.Errorf("%s ended at once:\n%s", s.name, s.lastLines())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// putFirst has a server run before all else that its processor could do, as on a
// machine of its own: the kernel's threads and other programs wait for it. It
// needs privileges.
func (s *server) putFirst(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "chrt", "--all-tasks", "--fifo", "--pid", "1", strconv.Itoa(s.cmd.Process.Pid)).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("chrt: %w: %s", err, bytes.TrimSpace(out))
	}
	return err
}

// lastLines is the end of what a program wrote, to be shown.
func (s *server) lastLines() []byte {
	text, _ := os.ReadFile(s.log)
	return bytes.TrimSpace(text[max(0, len(text)-2000):])
}

// stop ends the program, by force when it does not end when asked.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-s.exited:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	return nil
}

// fetch returns the body of a 200.
func fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return do(r)
}

func do(r *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s answered %s: %s", r.Method, r.URL, resp.Status, body)
	}
	return body, err
}

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// freeAddresses fills all that it is given with free addresses.
func freeAddresses(all ...*string) error {
	for _, a := range all {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		*a = address
	}
	return nil
}
