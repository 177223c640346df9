package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/internal/testwait"
	"configservice/observability/internal/prom"
)

// freshness is how soon a request must be in Prometheus by both paths.
const freshness = 15 * time.Second

// The whole pipeline, of the real programs: what clients did is what Prometheus
// has, by both paths, also when the Collector dies in between.
func TestPrometheusHasTheExactCountsByBothPaths(t *testing.T) {
	p := realProject(t)
	s := p.start(nil, "--data", "data")
	s.await(healthy)
	c := &client{t: t, project: p, done: counts{}}

	c.walk()
	c.wantExactCounts()
	testwait.Until(t, "all five targets have been scraped", func() bool { return len(c.query(`up`)) == 5 })
	c.wantNone("a target is down", `up == 0`)
	c.wantNone("a series overflowed", `{otel_metric_overflow="true"}`)
	c.wantNone("telemetry had trouble", `config_telemetry_errors_total > 0`)

	c.killCollector(s)
	c.wantExactCounts()
	c.wantNone("a target is still down", `up == 0`)

	s.signal(syscall.SIGINT)
	if code, out := s.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if left := p.processes(); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

// realProject is a project with the programs and files of this one.
func realProject(t *testing.T) project {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := project{t: t, dir: t.TempDir(), offset: freeOffset(t)}
	p.mkdir("bin")
	for _, name := range []string{"bin/stack", "bin/config-service", "bin/otelcol", "bin/cadvisor", "bin/prometheus", "bin/viewer", "observability", "docs"} {
		target := filepath.Join(root, name)
		testwait.Built(t, target)
		if err := os.Symlink(target, filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// request is what a count in Prometheus tells apart.
type request struct{ method, route, status string }

type counts map[request]int

// A client notes what it does to the service.
type client struct {
	t *testing.T
	project
	done counts
}

const api = "/api/v1"

// walk makes requests of every kind, some of them wrong.
func (c *client) walk() {
	c.t.Helper()
	application := c.call(201, "POST", api+"/applications", api+"/applications", `{"name":"shop"}`)
	c.call(409, "POST", api+"/applications", api+"/applications/", `{"name":"shop"}`)
	c.call(422, "POST", api+"/applications", api+"/applications", `{"name":""}`)
	one := c.call(201, "POST", api+"/configurations", api+"/configurations",
		fmt.Sprintf(`{"application_id":%q,"name":"main","config":{"n":1}}`, application))
	for range 7 {
		c.call(200, "GET", api+"/configurations/{id}", api+"/configurations/"+one, "")
	}
	for range 5 {
		c.call(200, "GET", api+"/config/{application}/{configuration}", api+"/config/shop/main", "")
	}
	for range 3 {
		c.call(404, "GET", api+"/config/{application}/{configuration}", api+"/config/shop/other", "")
	}
	c.call(200, "PUT", api+"/configurations/{id}", api+"/configurations/"+one, `{"config":{"n":2}}`)
	c.call(200, "PATCH", api+"/configurations/{id}", api+"/configurations/"+one, `{"config":{"m":1}}`)
	c.call(405, "DELETE", api+"/configurations", api+"/configurations", "")
	c.call(404, "GET", "unmatched", "/no/such/path", "")
	c.call(204, "DELETE", api+"/configurations/{id}", api+"/configurations/"+one, "")
	c.call(200, "GET", api+"/applications", api+"/applications?limit=10", "")
}

// call makes one request, notes it, and returns the id in the answer, if any.
func (c *client) call(status int, method, route, path, body string) (id string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url(servicePort, path), bytes.NewBufferString(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		c.t.Fatalf("%s %s answered %s, want %d: %s (%v)", method, path, resp.Status, status, answer, err)
	}
	c.done[request{method, route, strconv.Itoa(status)}]++
	var resource struct{ ID string }
	json.Unmarshal(answer, &resource) // not every answer is a resource
	return resource.ID
}

func (c *client) url(port int, path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", port+c.offset, path)
}

// query asks Prometheus.
func (c *client) query(promQL string) []prom.Sample {
	c.t.Helper()
	samples, err := prom.Client{URL: c.url(prometheusPort, "")}.Query(c.t.Context(), promQL)
	if err != nil {
		c.t.Fatal(err)
	}
	return samples
}

func (c *client) wantNone(what, promQL string) {
	c.t.Helper()
	for _, s := range c.query(promQL) {
		c.t.Errorf("%s: %v", what, s)
	}
}

// wantExactCounts waits until Prometheus has what was done, by each path, and
// fails when that comes late or is not what was done.
func (c *client) wantExactCounts() {
	c.t.Helper()
	started := time.Now()
	for _, via := range []string{"direct", "collector"} {
		var got counts
		testwait.Until(c.t, "all requests are counted by the path "+via, func() bool {
			got = c.counted(via)
			return maps.Equal(got, c.done) || time.Since(started) > freshness
		})
		if diff := cmp.Diff(c.done, got, cmp.AllowUnexported(request{})); diff != "" {
			c.t.Errorf("by the path %s, after %v (-done +counted)\n%s", via, freshness, diff)
		}
		c.t.Logf("exact by the path %s after %.1f s", via, time.Since(started).Seconds())
	}
}

// counted returns the requests that Prometheus has by a path, without those of
// the pipeline itself.
func (c *client) counted(via string) counts {
	c.t.Helper()
	got := counts{}
	for _, s := range c.query(fmt.Sprintf(`http_server_request_duration_seconds_count{job="config-service",via=%q,http_route!~"/metrics|/readyz"}`, via)) {
		got[request{s.Labels["http_request_method"], s.Labels["http_route"], s.Labels["http_response_status_code"]}] += int(s.Value)
	}
	return got
}

// killCollector kills the Collector while requests flow, and returns when it is
// back. No request may fail or wait for it.
func (c *client) killCollector(s *stack) {
	c.t.Helper()
	const route, bound = api + "/applications", time.Second
	pid, err := strconv.Atoi(s.await(`otel-collector is healthy .*\(pid (\d+)\)`)[1])
	if err != nil {
		c.t.Fatal(err)
	}
	back := regexp.MustCompile(`otel-collector is healthy`)
	var slowest time.Duration
	for n := 0; len(back.FindAllString(s.out.String(), -1)) < 2; n++ {
		started := time.Now()
		c.call(200, "GET", route, route, "")
		slowest = max(slowest, time.Since(started))
		if n == 100 {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				c.t.Fatal(err)
			}
		}
		if n == 1_000_000 {
			c.t.Fatal("the Collector was not restarted")
		}
	}
	c.t.Logf("%d requests while the Collector was killed and came back, the slowest took %v", c.done[request{"GET", route, "200"}], slowest)
	if slowest > bound {
		c.t.Errorf("a request took %v while the Collector was away, more than %v", slowest, bound)
	}
	if !strings.Contains(s.out.String(), "restart") {
		c.t.Error("the stack does not say that it restarts the Collector")
	}
}
