//go:build docker && linux

package dockertest

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"configservice/observability/internal/dashboard"
)

// load reads one configuration over and over, a bounded number of times, and
// returns how often that failed.
func load(url string, clients, each int) (failed int) {
	var wg sync.WaitGroup
	failures := make(chan error, clients*each)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	for range clients {
		wg.Go(func() {
			for range each {
				req, _ := http.NewRequest(http.MethodGet, url, nil)
				if err := do(client, req, nil); err != nil {
					failures <- err
				}
			}
		})
	}
	wg.Wait()
	return len(failures)
}

// usages compares what cAdvisor and the engine count for each container over
// the same time, in which the service is under load.
func (s *stack) usages(t *testing.T) {
	_, path := newConfiguration(t, "loaded")
	seenBefore, usedBefore := map[string]float64{}, s.usageOfAll(t)
	for _, name := range containers {
		seenBefore[name] = cadvisorReads(t, "container_cpu_usage_seconds_total", name)
	}
	started := time.Now()
	const clients, each = 4, 25_000
	if failed := load(serviceURL+path, clients, each); failed > 0 {
		t.Errorf("%d requests failed", failed)
	}
	took := time.Since(started).Seconds()
	seen, used := map[string]float64{}, s.usageOfAll(t)
	for _, name := range containers {
		seen[name] = cadvisorReads(t, "container_cpu_usage_seconds_total", name)
	}
	for _, name := range containers {
		if err := agree(seen[name]-seenBefore[name], used[name].CPU-usedBefore[name].CPU, 0.2); err != nil {
			t.Errorf("%s: CPU seconds: %v", name, err)
		}
		if err := agree(cadvisorReads(t, "container_spec_memory_limit_bytes", name), used[name].Limit, 0); err != nil {
			t.Errorf("%s: memory limit: %v", name, err)
		}
		// Memory moves between two readings: they must agree when it stands still.
		eventually(t, 20*time.Second, "they agree on the working set of "+name, func() error {
			return agree(cadvisorReads(t, "container_memory_working_set_bytes", name), s.usage(t, name).Memory, 1e6)
		})
	}
	spent := used["config-service"].CPU - usedBefore["config-service"].CPU
	busy := spent / took
	t.Logf("the service took %.2f cores for %d requests in %.1f s", busy, clients*each, took)
	if busy < 0.2 {
		t.Errorf("the load did not show: %.3f cores", busy)
	}
	// And so it is told by Prometheus to whoever looks at the dashboard: as the average of a minute.
	eventually(t, 20*time.Second, "Prometheus shows the load", func() error {
		cores, err := value(t, `max_over_time(instance_name:container_cpu_usage_seconds:rate1m{name="config-service"}[1m])`)
		if want := 0.8 * spent / max(60, took); err == nil && cores < want {
			err = fmt.Errorf("it shows %.3f cores, want at least %.3f", cores, want)
		}
		return err
	})
}

// agree demands that two counts differ by no more than a tenth, or than slack
// where they are small: they are read some milliseconds apart.
func agree(cadvisor, engine, slack float64) error {
	if difference := math.Abs(cadvisor - engine); difference > 0.1*engine && difference > slack {
		return fmt.Errorf("cAdvisor says %.6g, the engine %.6g", cadvisor, engine)
	}
	return nil
}

// cadvisorReads has cAdvisor read a container now, and adds up what it says.
func cadvisorReads(t *testing.T, metric, name string) float64 {
	t.Helper()
	return sumOf(t, cadvisorURL+"/metrics?max_age=0s", metric+`\{.*[,{]name="`+name+`".*\}`)
}

// sumOf adds up the samples of a page of metrics whose names and labels match.
func sumOf(t *testing.T, url, series string) (sum float64) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line := regexp.MustCompile(`^` + series + ` (\S+)`)
	found := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			v, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum, found = sum+v, true
		}
	}
	if !found {
		t.Errorf("%s has no %s", url, series)
	}
	return sum
}

// panels asks what every panel of the container dashboard asks.
func (s *stack) panels(t *testing.T) {
	boards, err := dashboard.Load(s.root + "/observability/grafana/provisioning/dashboards")
	if err != nil {
		t.Fatal(err)
	}
	asked, absent := 0, 0
	for _, board := range boards {
		if board.UID != "container-metrics" {
			continue
		}
		for _, q := range board.Queries(nil) {
			if q.RefID == "annotation" || s.lacks(t, q.Needs()) {
				absent++
				continue
			}
			asked++
			eventually(t, 30*time.Second, "there is data for "+q.Panel, func() error {
				samples, err := query(t, q.Expr)
				if err == nil && len(samples) == 0 {
					err = fmt.Errorf("none for %s", q.Expr)
				}
				return err
			})
		}
	}
	t.Logf("%d queries have data; not asked: %d annotations and queries that this kernel has nothing for", asked, absent)
	if asked < 20 {
		t.Errorf("only %d queries were found", asked)
	}
}

// lacks tells whether this machine's kernel does not count what a panel says that
// it needs. The engine is asked, as cAdvisor is what is tested.
func (s *stack) lacks(t *testing.T, needs string) bool {
	if strings.Contains(needs, "pressure") {
		_, err := os.Stat("/sys/fs/cgroup/cpu.pressure")
		return err != nil
	}
	return strings.Contains(needs, "block I/O") && !s.usage(t, "postgres").Disk
}
