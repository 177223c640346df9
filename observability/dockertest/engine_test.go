//go:build docker && linux

package dockertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// An engine is a Docker daemon of the tests' own. It ends with the sandbox.
type engine struct {
	dir    string // of its own, and its socket's
	client *http.Client
}

func startEngine(t *testing.T, dir string) *engine {
	t.Helper()
	e := &engine{dir: dir}
	e.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", e.socket())
		},
	}}
	log, err := os.Create(filepath.Join(dir, "dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command("dockerd", "--host", "unix://"+e.socket(), "--data-root", e.dataRoot(),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "dockerd.pid"),
		"--cgroup-parent", "/"+filepath.Base(dir), "--log-level", "warn",
		// Nobody listens there: names outside, and those of containers that are stopped, stay unknown.
		"--dns", "172.17.0.1")
	daemon.Stdout, daemon.Stderr = log, log
	if err := errors.Join(os.MkdirAll(e.runDir(), 0o755), daemon.Start()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	eventually(t, time.Minute, "the Docker engine answers", func() error {
		select {
		case err := <-ended:
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("dockerd has ended: %v\n%s", err, text)
		default:
		}
		return e.call(http.MethodGet, "/_ping", nil)
	})
	return e
}

func (e *engine) runDir() string   { return filepath.Join(e.dir, "run") }
func (e *engine) socket() string   { return filepath.Join(e.runDir(), "docker.sock") }
func (e *engine) dataRoot() string { return filepath.Join(e.dir, "data") }

// call asks the engine's API, and decodes its answer into answer unless it is nil.
func (e *engine) call(method, path string, answer any) error {
	req, err := http.NewRequest(method, "http://docker"+path, nil)
	if err != nil {
		return err
	}
	return do(e.client, req, answer)
}

// do decodes into answer, unless nil, what is answered with a status below 300.
func do(client *http.Client, req *http.Request, answer any) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL, resp.Status, body)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(body, answer)
}

// A container is what the engine tells of one.
type container struct {
	State struct {
		Pid       int
		StartedAt string
		Running   bool
		Health    *struct{ Status string }
	}
	RestartCount int
	Image        string
}

func (e *engine) inspect(t *testing.T, name string) (c container) {
	t.Helper()
	if err := e.call(http.MethodGet, "/containers/"+name+"/json", &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A usage is what the engine has counted for a container so far.
type usage struct {
	CPU    float64 // seconds
	Memory float64 // bytes of the working set: what could not be given back at once
	Limit  float64 // bytes
	Disk   bool    // whether the kernel counts block I/O for it
}

func (e *engine) usage(t *testing.T, name string) (u usage) {
	t.Helper()
	var s struct {
		CPU struct {
			Usage struct {
				Total float64 `json:"total_usage"` // ns
			} `json:"cpu_usage"`
		} `json:"cpu_stats"`
		Memory struct {
			Usage, Limit float64
			Stats        map[string]float64
		} `json:"memory_stats"`
		Disk struct {
			Bytes []struct{ Value float64 } `json:"io_service_bytes_recursive"`
		} `json:"blkio_stats"`
	}
	if err := e.call(http.MethodGet, "/containers/"+name+"/stats?stream=false&one-shot=true", &s); err != nil {
		t.Error(err) // not Fatal, for usageOfAll
		return u
	}
	inactive := s.Memory.Stats["inactive_file"] // cgroups of version 2
	if v1, ok := s.Memory.Stats["total_inactive_file"]; ok {
		inactive = v1
	}
	return usage{CPU: s.CPU.Usage.Total / 1e9, Memory: s.Memory.Usage - inactive, Limit: s.Memory.Limit, Disk: len(s.Disk.Bytes) > 0}
}

// usageOfAll asks for all containers at once: the engine takes a second for each.
func (e *engine) usageOfAll(t *testing.T) map[string]usage {
	t.Helper()
	all := make([]usage, len(containers))
	var wg sync.WaitGroup
	for i, name := range containers {
		wg.Go(func() { all[i] = e.usage(t, name) })
	}
	wg.Wait()
	usages := map[string]usage{}
	for i, name := range containers {
		usages[name] = all[i]
	}
	return usages
}

// eventually waits until the condition has no error, and fails the test with the
// last one at the deadline.
func eventually(t *testing.T, within time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s: %v", within, what, err)
		}
		<-tick.C
	}
}
