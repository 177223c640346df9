//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// allowFiles makes room for n open files, also in the programs started from
// here.
func allowFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < uint64(n) {
		return fmt.Errorf("%d files may be open at most, %d are needed: raise the hard limit (ulimit -Hn)", limit.Max, n)
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// A service is the program under test, with a store of its own.
type service struct {
	cmd     *exec.Cmd
	dir     string
	address string
}

func startService(ctx context.Context, program string) (*service, error) {
	dir, err := os.MkdirTemp("", "benchwatch")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "--listen=127.0.0.1:0", "--stop-deadline=5s",
		"--database-url=sqlite:"+filepath.Join(dir, "config.db"))
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none")
	s := &service{cmd: cmd, dir: dir}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	lines := bufio.NewScanner(stdout)
	for s.address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			s.address = line.Address
		}
	}
	if s.address == "" {
		s.stop()
		return nil, fmt.Errorf("%s does not serve", program)
	}
	go io.Copy(io.Discard, stdout) // or a full pipe would stop the service
	return s, nil
}

func (s *service) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait() // how it ends is not what is measured
	_ = os.RemoveAll(s.dir)
}

// memory returns what the service has resident, in bytes, without the files
// that it maps.
func (s *service) memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("the service's memory can only be read on Linux: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("/proc has no RssAnon")
}

// A usage is the CPU time that was used so far: by the service, here, by all
// programs, and by these and nobody.
type usage struct{ service, clients, busy, all time.Duration }

func (s *service) usage() (u usage, err error) {
	const utime, stime = 11, 12         // proc_pid_stat(5), counted from the state
	const idle, iowait, steal = 3, 4, 7 // proc_stat(5), counted from user
	service, err1 := ticks(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid), utime, stime)
	clients, err2 := ticks("/proc/self/stat", utime, stime)
	machine, err3 := ticks("/proc/stat", 0, steal)
	if err := errors.Join(err1, err2, err3); err != nil {
		return u, err
	}
	for _, t := range machine {
		u.all += t
	}
	u.busy = u.all - machine[idle] - machine[iowait]
	u.service, u.clients = service[0]+service[1], clients[0]+clients[1]
	return u, nil
}

// ticks returns some fields of a file's first line, counted from what follows
// the name that it begins with, as times.
func ticks(file string, first, last int) ([]time.Duration, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	_, rest, ok := strings.Cut(line, ") ") // the name before it may hold anything
	if !ok {
		_, rest, _ = strings.Cut(line, " ")
	}
	const perSecond = 100
	var all []time.Duration
	for _, field := range strings.Fields(rest)[first : last+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, time.Duration(n)*time.Second/perSecond)
	}
	return all, nil
}

// settled returns the service's memory when it has stopped to change: what it
// took to accept everybody is garbage that goes by and by.
func (s *service) settled(ctx context.Context) (int64, error) {
	const pause, longest = 5 * time.Second, 40 * time.Second
	last, deadline := int64(0), time.Now().Add(longest)
	for {
		now, err := s.memory()
		if err != nil || now >= last-last/100 && now <= last+last/100 || time.Now().After(deadline) {
			return now, err
		}
		last = now
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// A writer changes one configuration and notes when.
type writer struct {
	url       string
	commits   map[int64]time.Time // by revision; the store's own time
	durations []time.Duration     // of the requests
}

type resource struct {
	ID        string    `json:"id"`
	Revision  int64     `json:"revision"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (s *service) newWriter(ctx context.Context) (*writer, error) {
	base := "http://" + s.address + "/api/v1/"
	app, err := send(ctx, "POST", base+"applications", `{"name":"bench"}`)
	if err != nil {
		return nil, err
	}
	c, err := send(ctx, "POST", base+"configurations", `{"application_id":"`+app.ID+`","name":"flags","config":{}}`)
	if err != nil {
		return nil, err
	}
	w := &writer{url: base + "configurations/" + c.ID, commits: map[int64]time.Time{}}
	// Who watches from now on is to see none of this.
	_, err = send(ctx, "GET", fmt.Sprint(w.url, "?min_revision=", c.Revision), "")
	return w, err
}

// change makes n changes, one an interval.
func (w *writer) change(ctx context.Context, n int, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for i := range n {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		started := time.Now()
		c, err := send(ctx, "PUT", w.url, fmt.Sprintf(`{"config":{"new_basket":true,"rollout_percent":12.5,"round":%d}}`, i))
		if err != nil {
			return err
		}
		w.durations = append(w.durations, time.Since(started))
		w.commits[c.Revision] = c.UpdatedAt
	}
	slices.Sort(w.durations)
	return nil
}

func send(ctx context.Context, method, url, body string) (resource, error) {
	var got resource
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return got, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only to be shown
		return got, fmt.Errorf("%s %s answered %s: %s", method, url, resp.Status, text)
	}
	return got, json.NewDecoder(resp.Body).Decode(&got)
}
