//go:build docker && linux

package dockertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"configservice/observability/internal/prom"
)

// Where a user finds things: in the sandbox nobody else has these ports.
const (
	serviceURL      = "http://localhost:8000"
	proxyURL        = "http://localhost:8010"
	prometheusURL   = "http://localhost:9090"
	alertmanagerURL = "http://localhost:9093"
	exporterURL     = "http://localhost:8889"
	cadvisorURL     = "http://localhost:8080"
)

// version is that of the images: make's own would be another after each change.
const version = "dockertest"

// A stack is what make up has started.
type stack struct {
	*engine
	root    string // of the project
	environ []string
}

// newStack starts an engine and builds every image in it.
func newStack(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv(dirVariable)
	s := &stack{root: root, engine: startEngine(t, dir)}
	context := filepath.Join(dir, "context")
	observability := filepath.Join(root, "observability")
	standins := filepath.Join(observability, "dockertest", "standins")
	s.environ = append(plainEnvironment(),
		"DOCKER_HOST=unix://"+s.socket(), "DOCKER_RUN_DIR="+s.runDir(), "DOCKER_DATA_ROOT="+s.dataRoot(),
		"DOCKER_CONFIG="+filepath.Join(dir, "docker"), "ENV_FILE="+s.environmentFile(),
		"COMPOSE_FILE="+filepath.Join(observability, "docker-compose.yml")+":"+filepath.Join(standins, "compose.yml"),
		"STANDINS="+standins, "STANDIN_CONTEXT="+context,
		"COMPOSE_PROGRESS=quiet", "VERSION="+version,
		// The stack is started three times, and each time its parts are waited for in turn.
		"HEALTH_INTERVAL=3s")
	plugins := filepath.Join(dir, "docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "bin", "docker-compose"), filepath.Join(plugins, "docker-compose")); err != nil {
		t.Fatal(err)
	}
	s.run(t, filepath.Join(standins, "context.sh"), context)
	copyBuildCache(t, root, filepath.Join(context, "gocache"))
	return s
}

// plainEnvironment is that of somebody who has set nothing for Docker, Compose or
// the stack.
func plainEnvironment() (environ []string) {
	for _, name := range []string{"PATH", "HOME", "LANG", "TMPDIR", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS"} {
		if value, ok := os.LookupEnv(name); ok {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

func (s *stack) environmentFile() string { return filepath.Join(s.dir, "env") }

// command is one of a user in the root of the project.
func (s *stack) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.root, s.environ
	return cmd
}

// run runs a command that must succeed, and returns what it has printed.
func (s *stack) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *stack) make(t *testing.T, args ...string) string {
	t.Helper()
	return s.run(t, "make", append([]string{"--no-print-directory", "VERSION=" + version}, args...)...)
}

// compose is docker compose as the Makefile calls it.
func (s *stack) compose(t *testing.T, args ...string) string {
	t.Helper()
	return s.run(t, "docker", append([]string{"compose", "--env-file", s.environmentFile()}, args...)...)
}

// crash ends a container's first process as a fault would: the engine was not
// told of it, as it is by docker kill, and its restart policy holds.
func (s *stack) crash(t *testing.T, name string) {
	t.Helper()
	if out, err := s.command("busybox", "kill", "-9", strconv.Itoa(s.inspect(t, name).State.Pid)).CombinedOutput(); err != nil {
		t.Fatalf("crashing %s: %v\n%s", name, err, out)
	}
}

// healthy waits until a container is.
func (s *stack) healthy(t *testing.T, name string) {
	t.Helper()
	eventually(t, time.Minute, name+" is healthy", func() error {
		if c := s.inspect(t, name); !c.State.Running || c.State.Health == nil || c.State.Health.Status != "healthy" {
			return fmt.Errorf("its state is %+v", c.State)
		}
		return nil
	})
}

// query asks Prometheus.
func query(t *testing.T, expr string) ([]prom.Sample, error) {
	return prom.Client{URL: prometheusURL}.Query(t.Context(), expr)
}

// value asks for the one sample that expr has.
func value(t *testing.T, expr string) (float64, error) {
	samples, err := query(t, expr)
	if err != nil {
		return 0, err
	}
	if len(samples) != 1 {
		return 0, fmt.Errorf("%s has %d samples", expr, len(samples))
	}
	return samples[0].Value, nil
}

// An answer is what the service said.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// send is one request of the API. An error is one of the transport.
func send(method, url string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequest(method, url, strings.NewReader(string(text)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(resp.Body).Decode(&a.body); err != nil {
		return a, fmt.Errorf("%s %s: %s: %w", method, url, resp.Status, err)
	}
	return a, nil
}

// must is send, of what must be answered with status.
func must(t *testing.T, status int, method, url string, body any) map[string]any {
	t.Helper()
	a, err := send(method, url, body)
	if err != nil || a.status != status {
		t.Fatalf("%s %s: %d, want %d: %v %v", method, url, a.status, status, a.body, err)
	}
	return a.body
}

// newConfiguration makes one in an application of its own, and returns its id and
// the path by which programs read it.
func newConfiguration(t *testing.T, application string) (id, path string) {
	t.Helper()
	app := must(t, http.StatusCreated, "POST", serviceURL+"/api/v1/applications", map[string]any{"name": application})
	c := must(t, http.StatusCreated, "POST", serviceURL+"/api/v1/configurations",
		map[string]any{"application_id": app["id"], "name": "main", "config": map[string]any{"n": 0}})
	return c["id"].(string), "/api/v1/config/" + application + "/main"
}
