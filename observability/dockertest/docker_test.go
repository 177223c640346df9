//go:build docker && linux

package dockertest

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// containers are those of the default profile; Grafana has no stand-in.
var containers = []string{"alertmanager", "cadvisor", "config-service", "otel-collector", "postgres", "prometheus"}

// TestDocker lives through the life of one stack: each step finds what those
// before it have left.
func TestDocker(t *testing.T) {
	s := newStack(t)
	for _, step := range []struct {
		name string
		run  func(*stack, *testing.T)
	}{
		{"images are built, the service's by its own Dockerfile", (*stack).build},
		{"up has everything healthy within two minutes", (*stack).up},
		{"targets are up", (*stack).targets},
		{"idle, all of it takes less than 1 GB", (*stack).idle},
		{"every request is counted, by both paths", (*stack).counts},
		{"the load tester in its container finds that the telemetry is true", (*stack).loadTest},
		{"cAdvisor agrees with the engine on CPU and memory under load", (*stack).usages},
		{"the container dashboard has data in every panel", (*stack).panels},
		{"validate tells what works, and what is missing", (*stack).validate},
		{"what crashes comes back, and nothing acknowledged is lost", (*stack).crashes},
		{"without PostgreSQL reads go on for a while, writes are told to come back", (*stack).outage},
		{"a backup brings back what was changed since, as the guide says it", (*stack).restore},
		{"down and up keep configurations and history", (*stack).downUp},
		{"three replicas behind the proxy lose one and no read", (*stack).replicas},
		{"reset asks, and then deletes", (*stack).reset},
	} {
		started := time.Now()
		ok := t.Run(step.name, func(t *testing.T) { step.run(s, t) })
		t.Logf("%.1f s: %s", time.Since(started).Seconds(), step.name)
		if !ok {
			t.Logf("the containers:\n%s", s.compose(t, "ps", "--all"))
			t.Logf("their logs:\n%s", s.compose(t, "logs", "--tail", "15"))
		}
	}
}

func (s *stack) build(t *testing.T) {
	out, err := os.ReadFile(s.environmentFile())
	if err == nil {
		t.Fatalf("there is an %s already: %s", s.environmentFile(), out)
	}
	made := s.run(t, "observability/docker/env.sh", s.environmentFile())
	kept, err := os.ReadFile(s.environmentFile())
	if err != nil {
		t.Fatal(err)
	}
	_, password, _ := strings.Cut(string(kept), "GRAFANA_ADMIN_PASSWORD=")
	if password = strings.TrimSpace(password); len(password) != 32 || !strings.Contains(made, password) {
		t.Errorf("Grafana's password is %q; first use told:\n%s", password, made)
	}
	if info, err := os.Stat(s.environmentFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the passwords: %v %v", info.Mode(), err)
	}
	if again := s.run(t, "observability/docker/env.sh", s.environmentFile()); again != "" {
		t.Errorf("told once more: %q", again)
	}
	s.compose(t, "build", "golang")
	s.compose(t, "--profile", "replicas", "--profile", "loadtest", "build")
}

func (s *stack) up(t *testing.T) {
	started := time.Now()
	t.Log(s.make(t, "up"))
	took := time.Since(started)
	t.Logf("healthy after %.1f s", took.Seconds())
	if took > 2*time.Minute {
		t.Errorf("it took %s", took)
	}
	for _, name := range containers {
		s.healthy(t, name)
	}
	out := s.run(t, "docker", "exec", "config-service", "/bin/config-service", "version")
	if out != "config-service "+version+"\n" {
		t.Errorf("version says %q", out)
	}
}

func (s *stack) targets(t *testing.T) {
	want := []string{"alertmanager", "cadvisor", "config-service", "otel-collector", "otel-collector-exporter", "prometheus"}
	eventually(t, 30*time.Second, "every target is up", func() error {
		samples, err := query(t, "up")
		if err != nil {
			return err
		}
		up := map[string]bool{}
		for _, s := range samples {
			if s.Value != 1 {
				return fmt.Errorf("down: %v", s.Labels)
			}
			up[s.Labels["job"]] = true
		}
		if got := slices.Sorted(maps.Keys(up)); !slices.Equal(got, want) {
			return fmt.Errorf("up are %v, want %v", got, want)
		}
		return nil
	})
}

// idle adds up what the engine has counted for the containers.
func (s *stack) idle(t *testing.T) {
	total := 0.0
	usages := s.usageOfAll(t)
	for _, name := range containers {
		u := usages[name]
		t.Logf("%-16s %6.1f MB of %6.1f MB", name, u.Memory/1e6, u.Limit/1e6)
		total += u.Memory
	}
	t.Logf("%-16s %6.1f MB (stand-ins, without Grafana)", "all", total/1e6)
	if total > 1e9 {
		t.Errorf("idle, they take %.0f MB", total/1e6)
	}
}

// counts sends known numbers of requests and looks for exactly these in the
// service's own metrics, in the Collector's, and in Prometheus by each path.
func (s *stack) counts(t *testing.T) {
	_, path := newConfiguration(t, "counted")
	const reads, misses = 137, 41
	for range reads {
		must(t, http.StatusOK, "GET", serviceURL+path, nil)
	}
	for range misses {
		must(t, http.StatusNotFound, "GET", serviceURL+"/api/v1/config/counted/missing", nil)
	}
	for _, via := range []string{"direct", "collector"} {
		for status, want := range map[string]float64{"200": reads, "404": misses} {
			exactly(t, want, fmt.Sprintf(`sum(http_server_request_duration_seconds_count{via=%q,http_route="/api/v1/config/{application}/{configuration}",http_response_status_code=%q})`, via, status))
		}
		exactly(t, 1, fmt.Sprintf(`sum(http_server_request_duration_seconds_count{via=%q,http_route="/api/v1/configurations",http_response_status_code="201"})`, via))
	}
}

// exactly waits for a value that must not be passed.
func exactly(t *testing.T, want float64, expr string) {
	t.Helper()
	eventually(t, 20*time.Second, expr, func() error {
		got, err := value(t, expr)
		if err == nil && got != want {
			err = fmt.Errorf("it is %g, want %g", got, want)
		}
		return err
	})
}

// loadTest has the load tester hold what the pipeline tells against what it did:
// the claims that are about counts. Those about times are for a quiet machine.
func (s *stack) loadTest(t *testing.T) {
	const missedThreshold = 99 // the service was slow; the claims are true
	cmd := s.command("docker", "compose", "--env-file", s.environmentFile(), "--profile", "loadtest",
		"run", "--rm", "loadtest", "run", "mixed", "--quick", "--claims", "1,2,3,5,7,8")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != missedThreshold {
		t.Error(err)
	}
}
