//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errNoStrace tells that syncs are not counted.
var errNoStrace = errors.New("not counted, for strace is not installed (Debian: apt install strace)")

// countSyncs returns how often the processes ask the kernel to flush a file to
// the disk while during runs.
func countSyncs(ctx context.Context, processes []int, during func() error) (syncs int, err error) {
	path, err := exec.LookPath("strace")
	if err != nil {
		return 0, errNoStrace
	}
	args := []string{"-f", "-e", "trace=fsync,fdatasync"}
	for _, pid := range processes {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	var seen bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = &seen
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // lets go of the processes
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = awaitTraced(ctx, processes)
	if err == nil {
		err = during()
	}
	_ = cmd.Cancel() // fails when it has ended
	_ = cmd.Wait()   // its exit code is the signal's
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(seen.Bytes()[:min(seen.Len(), 2000)]))
	}
	// A call that is interrupted in the text comes up again as "resumed".
	return len(regexp.MustCompile(`\bf(data)?sync\(`).FindAll(seen.Bytes(), -1)), nil
}

// awaitTraced returns when every thread of the processes is traced.
func awaitTraced(ctx context.Context, processes []int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		all, err := traced(processes)
		if err != nil || all {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("strace has not attached to %v: %w", processes, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func traced(processes []int) (bool, error) {
	for _, pid := range processes {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if err != nil {
			return false, err
		}
		for _, file := range threads {
			status, err := os.ReadFile(file)
			if err == nil && strings.Contains(string(status), "\nTracerPid:\t0\n") {
				return false, nil
			} // a thread that has ended flushes no more
		}
	}
	return true, nil
}

// descendants returns a process and all that come from it.
func descendants(pid int) (all []int, err error) {
	all = []int{pid}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			below, err := descendants(child)
			if err != nil {
				return nil, err
			}
			all = append(all, below...)
		}
	}
	return all, nil
}
