//go:build docker && linux

package dockertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// validate runs make validate where all is well but Grafana, which is left out.
func (s *stack) validate(t *testing.T) {
	out, err := s.command("make", "--no-print-directory", "validate").CombinedOutput()
	t.Logf("%s", out)
	if err == nil {
		t.Error("it does not miss the dashboards")
	}
	for line := range strings.Lines(string(out)) {
		missing := strings.Contains(line, " dashboards ") || strings.Contains(line, " data source ") || strings.Contains(line, " provisioned ")
		if strings.HasPrefix(line, "FAIL") != missing {
			t.Errorf("wrong verdict: %s", line)
		}
	}
}

// A writer changes one configuration over and over, and knows what was acknowledged.
type writer struct {
	acknowledged []float64 // the numbers written
	err          error     // of an answer that must not be
}

// write goes on until ctx is over. What fails, or is refused with 503, is written
// again, since nobody knows whether it was committed.
func (w *writer) write(ctx context.Context, id string) {
	url := serviceURL + "/api/v1/configurations/" + id
	for n := 1.0; ctx.Err() == nil; {
		a, err := send(http.MethodPatch, url, map[string]any{"config": map[string]any{"n": n}})
		switch {
		case err != nil || a.status == http.StatusServiceUnavailable:
		case a.status != http.StatusOK:
			w.err = errors.Join(w.err, fmt.Errorf("%d: %v", a.status, a.body))
			return
		default:
			w.acknowledged = append(w.acknowledged, n)
			n++
		}
	}
}

// crashes kills every program once, while writes go on.
func (s *stack) crashes(t *testing.T) {
	id, path := newConfiguration(t, "crashed")
	ctx, stop := context.WithCancel(t.Context())
	var w writer
	done := make(chan struct{})
	go func() { defer close(done); w.write(ctx, id) }()
	for _, name := range []string{"config-service", "postgres", "otel-collector", "alertmanager", "cadvisor", "prometheus"} {
		before := s.inspect(t, name)
		s.crash(t, name)
		eventually(t, 30*time.Second, name+" is started again", func() error {
			if c := s.inspect(t, name); c.RestartCount <= before.RestartCount {
				return fmt.Errorf("it was restarted %d times", c.RestartCount)
			}
			return nil
		})
		s.healthy(t, name)
	}
	s.healthy(t, "config-service") // which was not, while PostgreSQL was away
	stop()
	<-done
	if w.err != nil || len(w.acknowledged) == 0 {
		t.Fatalf("%d writes were acknowledged: %v", len(w.acknowledged), w.err)
	}
	last := w.acknowledged[len(w.acknowledged)-1]
	got := must(t, http.StatusOK, "GET", serviceURL+path, nil)
	if n := got["config"].(map[string]any)["n"].(float64); n < last {
		t.Errorf("it is %g, and %g was acknowledged", n, last)
	}
	if versions := got["version"].(float64); versions < 1+float64(len(w.acknowledged)) {
		t.Errorf("%g versions, and %d writes were acknowledged", versions, len(w.acknowledged))
	}
	t.Logf("%d writes acknowledged through six crashes", len(w.acknowledged))
	s.targets(t)
}

// cacheHits are the lines of the service's metrics that count reads from memory.
const cacheHits = `config_reads_total\{outcome="hit",source="cache"\}`

// outage stops PostgreSQL, as nobody's restart policy mends.
func (s *stack) outage(t *testing.T) {
	id, path := newConfiguration(t, "outage")
	// What was just changed is not kept in memory before the feed has told the service of the change.
	hits := sumOf(t, serviceURL+"/metrics", cacheHits)
	eventually(t, 30*time.Second, "a read is answered from memory", func() error {
		must(t, http.StatusOK, "GET", serviceURL+path, nil)
		if sumOf(t, serviceURL+"/metrics", cacheHits) == hits {
			return errors.New("each has asked PostgreSQL")
		}
		return nil
	})
	before := s.inspect(t, "config-service")
	if err := s.call(http.MethodPost, "/containers/postgres/stop", nil); err != nil {
		t.Fatal(err)
	}
	must(t, http.StatusOK, "GET", serviceURL+path, nil) // from the cache
	patch := func() (answer, error) {
		return send(http.MethodPatch, serviceURL+"/api/v1/configurations/"+id, map[string]any{"config": map[string]any{"n": 1}})
	}
	a, err := patch()
	if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a write without PostgreSQL: %d, Retry-After %q, %v %v", a.status, a.header.Get("Retry-After"), a.body, err)
	}
	eventually(t, 75*time.Second, "Alertmanager was told", func() error {
		var alerts []struct{ Labels map[string]string }
		req, _ := http.NewRequest(http.MethodGet, alertmanagerURL+"/api/v2/alerts", nil)
		if err := do(http.DefaultClient, req, &alerts); err != nil {
			return err
		}
		for _, a := range alerts {
			if a.Labels["alertname"] == "DatabaseUnreachable" {
				return nil
			}
		}
		return fmt.Errorf("it knows of %v", alerts)
	})

	if err := s.call(http.MethodPost, "/containers/postgres/start", nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "writes are taken again", func() error {
		if a, err := patch(); err != nil || a.status != http.StatusOK {
			return fmt.Errorf("%d %v %v", a.status, a.body, err)
		}
		return nil
	})
	s.healthy(t, "config-service")
	if after := s.inspect(t, "config-service"); after.State.StartedAt != before.State.StartedAt {
		t.Error("the service had to be restarted")
	}
	eventually(t, 30*time.Second, "the alert ends", func() error {
		firing, err := query(t, `ALERTS{alertname="DatabaseUnreachable"}`)
		if err == nil && len(firing) > 0 {
			err = fmt.Errorf("%v", firing)
		}
		return err
	})
}

// restore runs what observability/README.md says of backup and restore, as it is written.
func (s *stack) restore(t *testing.T) {
	id, path := newConfiguration(t, "saved")
	guide := read(t, "../README.md")
	follow := func(heading string) {
		commands := regexp.MustCompile("(?s)\n\\*\\*" + heading + "\\*\\*.*?\n```\n(.*?)```").FindStringSubmatch(guide)
		if commands == nil {
			t.Fatalf("the guide has no commands after %s", heading)
		}
		cmd := s.command("sh", "-ec", commands[1])
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", heading, err, out)
		}
	}
	follow("Backup")
	must(t, http.StatusOK, "PATCH", serviceURL+"/api/v1/configurations/"+id, map[string]any{"config": map[string]any{"n": 1}})
	follow("Restore")
	s.healthy(t, "config-service")
	got := must(t, http.StatusOK, "GET", serviceURL+path, nil)
	if n := got["config"].(map[string]any)["n"]; n != 0.0 {
		t.Errorf("after the restore it is %v, and was 0 in the backup", n)
	}
}

// downUp looks after a restart for what was there before it.
func (s *stack) downUp(t *testing.T) {
	_, path := newConfiguration(t, "kept")
	const created = `http_server_request_duration_seconds_count{via="direct",http_response_status_code="201"}`
	eventually(t, 30*time.Second, "what was created is counted", func() error {
		_, err := value(t, "sum("+created+")")
		return err
	})
	counted := fmt.Sprintf(`sum(%s @ %.3f)`, created, float64(time.Now().UnixMilli())/1000)
	want, err := value(t, counted)
	if err != nil {
		t.Fatal(err)
	}
	s.make(t, "down")
	s.make(t, "up")
	must(t, http.StatusOK, "GET", serviceURL+path, nil)
	if got, err := value(t, counted); err != nil || got != want {
		t.Errorf("the past has changed: %g, it was %g: %v", got, want, err)
	}
	s.targets(t)
}

// replicas reads through the proxy while one replica dies.
func (s *stack) replicas(t *testing.T) {
	s.make(t, "up", "PROFILE=replicas")
	id, path := newConfiguration(t, "replicated")
	eventually(t, 30*time.Second, "three replicas are scraped and send", func() error {
		n, err := value(t, `count(up{job="config-service"} == 1)`)
		if err == nil && n != 3 {
			err = fmt.Errorf("%g are", n)
		}
		return err
	})
	must(t, http.StatusOK, "PATCH", serviceURL+"/api/v1/configurations/"+id, map[string]any{"config": map[string]any{"n": 1}})
	crashed := make(chan struct{})
	go func() { defer close(crashed); s.crash(t, "config-service-2") }()
	const clients, each = 4, 1000
	if failed := load(proxyURL+path, clients, each); failed > 0 {
		t.Errorf("%d of %d reads failed while a replica died", failed, clients*each)
	}
	<-crashed
	s.healthy(t, "config-service-2")
	const reads = 90
	for range reads {
		must(t, http.StatusNotFound, "GET", proxyURL+"/api/v1/config/replicated/missing", nil)
	}
	for _, via := range []string{"direct", "collector"} {
		exactly(t, reads, fmt.Sprintf(`sum(http_server_request_duration_seconds_count{via=%q,http_route="/api/v1/config/{application}/{configuration}",http_response_status_code="404"})`, via))
	}
}

// reset says no, and then yes.
func (s *stack) reset(t *testing.T) {
	reset := func(typed string) (string, error) {
		cmd := s.command("make", "--no-print-directory", "reset")
		cmd.Stdin = strings.NewReader(typed + "\n")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	volumes := func() int {
		return strings.Count(s.run(t, "docker", "volume", "ls", "--quiet", "--filter", "name=config-service_"), "\n")
	}
	before := volumes()
	if out, err := reset("no"); err == nil || !strings.Contains(out, "nothing was deleted") || volumes() != before || before == 0 {
		t.Errorf("no: %v, %d of %d volumes are left\n%s", err, volumes(), before, out)
	}
	if out, err := reset("yes"); err != nil || volumes() != 0 {
		t.Errorf("yes: %v, %d volumes are left\n%s", err, volumes(), out)
	}
	if left := s.run(t, "docker", "ps", "--all", "--quiet"); left != "" {
		t.Errorf("containers are left: %s", left)
	}
}
