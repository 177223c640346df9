package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"configservice/observability/internal/nativestack"
)

// freeze stops a program where it stands: it keeps its ports and answers nobody.
func freeze(program string) func(context.Context, *site) (func() error, error) {
	return func(_ context.Context, s *site) (func() error, error) {
		pid, err := s.PID(program)
		if err != nil {
			return nil, err
		}
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return nil, err
		}
		return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, nil
	}
}

// impostor runs another service that sends its telemetry under the instance of the first, more often,
// and that has answered more.
func impostor(ctx context.Context, s *site) (func() error, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	other := exec.CommandContext(ctx, filepath.Join(s.root, "bin", "config-service"), "serve")
	other.Env = append(os.Environ(), "CONFIG_SERVICE_LISTEN="+address, "CONFIG_SERVICE_DATABASE_URL=sqlite:"+filepath.Join(s.data, "impostor.db"),
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_ENDPOINT="+s.URL(nativestack.OTLP, ""), "OTEL_METRIC_EXPORT_INTERVAL=50",
		"OTEL_RESOURCE_ATTRIBUTES=service.instance.id="+s.Address(nativestack.Service))
	if err := other.Start(); err != nil {
		return nil, err
	}
	end := func() error {
		_ = other.Process.Kill()
		_ = other.Wait() // it was killed
		return nil
	}
	answered := 0
	err = poll(ctx, func() (bool, error) {
		for ; answered < 100; answered++ {
			resp, err := http.Get("http://" + address + "/readyz")
			if err != nil {
				return false, nil // it is still starting
			}
			if err := resp.Body.Close(); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return end, nil
}

// repeat does something now and again every so often, until the returned function is called. That
// one returns the first error.
func repeat(ctx context.Context, every time.Duration, do func(context.Context) error) (end func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := do(ctx); err != nil {
				done <- ignoreEnd(ctx, err)
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				done <- nil
				return
			}
		}
	}()
	return func() error { cancel(); return <-done }
}

// ignoreEnd returns no error for what was cut short on purpose.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deadTargets makes Prometheus look for itself, and for a Grafana, at a port where nobody listens.
func deadTargets(_ context.Context, s *site) (func() error, error) {
	targets := filepath.Join(s.data, "prometheus", "targets")
	own, other := filepath.Join(targets, "prometheus.yml"), filepath.Join(targets, "grafana.yml")
	before, err := os.ReadFile(own)
	if err != nil {
		return nil, err
	}
	dead := []byte("- targets: ['127.0.0.1:1']\n")
	return func() error {
		return errors.Join(os.WriteFile(own, before, 0o644), os.Remove(other))
	}, errors.Join(os.WriteFile(own, dead, 0o644), os.WriteFile(other, dead, 0o644))
}

// tightMemory limits the memory of a control group to little more than is used there. The program stands
// still meanwhile, or its next growth would be its end. It is one that no alert tells of.
func tightMemory(ctx context.Context, s *site) (func() error, error) {
	const program = "viewer"
	pid, err := s.PID(program)
	if err != nil {
		return nil, err
	}
	file, unlimited, err := memoryLimit(pid)
	if err != nil {
		return nil, err
	}
	used, err := s.Prometheus().Query(ctx, `instance_name:container_memory_working_set:bytes{name="`+program+`"}`)
	if err != nil {
		return nil, err
	}
	if len(used) != 1 {
		return nil, fmt.Errorf("%w: cAdvisor does not see the control group of %s", errNotHere, program)
	}
	thaw, err := freeze(program)(ctx, s)
	if err != nil {
		return nil, err
	}
	limit := strconv.FormatInt(int64(used[0].Value/0.95), 10)
	if err := os.WriteFile(file, []byte(limit), 0o644); err != nil {
		return nil, errors.Join(err, thaw())
	}
	return func() error { return errors.Join(os.WriteFile(file, []byte(unlimited), 0o644), thaw()) }, nil
}

// memoryLimit returns the file with the memory limit of a process' control group, and what stands
// there for none, in either version of control groups.
func memoryLimit(pid int) (file, unlimited string, err error) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errNotHere, err)
	}
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(rest, ":")
		for file, unlimited := range map[string]string{
			filepath.Join("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"): "-1",
			filepath.Join("/sys/fs/cgroup", path, "memory.max"):                   "max",
		} {
			if _, err := os.Stat(file); err == nil && (controllers == "memory" || controllers == "") && path != "/" {
				return file, unlimited, nil
			}
		}
	}
	return "", "", fmt.Errorf("%w: the program has no control group of its own", errNotHere)
}
