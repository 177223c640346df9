//go:build live

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"configservice/observability/internal/nativestack"
	"configservice/observability/loadtest/report"
)

// offset is what the stack adds to every port.
func offset(t *testing.T, s *nativestack.Stack) int {
	t.Helper()
	_, port, _ := strings.Cut(s.Address(0), ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// An ending is how a run of the real program ended.
type ending struct {
	code           int
	stdout, stderr string
	run            *report.Run // nil when it left no report
}

// loadtest runs the real program against a stack.
func loadtest(ctx context.Context, t *testing.T, s *nativestack.Stack, args ...string) ending {
	t.Helper()
	out := t.TempDir()
	args = append([]string{"run", "--port-offset", strconv.Itoa(offset(t, s)), "--out", out}, args...)
	cmd := exec.CommandContext(ctx, filepath.Join(root(t), "bin", "loadtest"), args...)
	cmd.Dir = root(t)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	e := ending{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if path := regexp.MustCompile(`report: (.+)/report\.html`).FindStringSubmatch(e.stdout); path != nil {
		r, err := report.Read(path[1])
		if err != nil {
			t.Fatal(err)
		}
		e.run = &r
	}
	return e
}
