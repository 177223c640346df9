//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpu returns the processor time that the server's threads, also those that
// have ended, have used.
func (s *server) cpu() (time.Duration, error) {
	// The clock of another process's CPU time, as clock_getcpuclockid(3)
	// makes it.
	const sched = 2
	var t unix.Timespec
	err := unix.ClockGettime(int32(^s.cmd.Process.Pid<<3|sched), &t)
	return time.Duration(t.Nano()), err
}

// resident returns the memory that the server has resident, in bytes.
func (s *server) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("%s: /proc has no VmRSS", s.name)
}

// allocated returns how many objects the server has allocated, as the Go
// runtime counts them; 0 when the server does not tell.
func (s *server) allocated(ctx context.Context) (int64, error) {
	if s.debug == "" {
		return 0, nil
	}
	text, err := fetch(ctx, "http://"+s.debug+"/debug/pprof/allocs?debug=1")
	if err != nil {
		return 0, err
	}
	const name = "\n# Mallocs = "
	at := bytes.LastIndex(text, []byte(name))
	if at < 0 {
		return 0, fmt.Errorf("%s: its profile of allocations has no Mallocs", s.name)
	}
	number, _, _ := bytes.Cut(text[at+len(name):], []byte("\n"))
	return strconv.ParseInt(string(number), 10, 64)
}
