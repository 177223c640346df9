//go:build live

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/internal/nativestack"
	"configservice/observability/internal/stacktest"
)

// A hop is a place at which somebody reads metrics.
type hop string

const (
	readService     hop = "the tester reads the service"
	readCollector   hop = "the tester reads the Collector"
	scrapeService   hop = "Prometheus reads the service"
	scrapeCollector hop = "Prometheus reads the Collector"
)

// everywhere is what a service does that lies by itself.
func everywhere() []hop { return []hop{readService, readCollector, scrapeService, scrapeCollector} }

// A lab is a stack of the real programs that can be broken and mended. It is
// fast: a scrape a second, an export each half second. At each hop stands a liar.
type lab struct {
	t      *testing.T
	stack  *nativestack.Stack
	config string // directory of the stack's configuration
	data   string
	liars  map[hop]*liar
}

func newLab(t *testing.T) *lab {
	for _, interval := range []string{"OTEL_METRIC_EXPORT_INTERVAL", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY"} {
		t.Setenv(interval, "500") // of the service; the tester, too, sends metrics
	}
	l := &lab{t: t, config: t.TempDir(), data: t.TempDir(), liars: map[hop]*liar{}}
	l.copyConfig()
	l.edit("prometheus.yml", "scrape_interval: 5s", "scrape_interval: 1s", "scrape_timeout: 4s", "scrape_timeout: 900ms", "evaluation_interval: 5s", "evaluation_interval: 1s")
	l.edit("otel-collector.yml", "level: ${env:COLLECTOR_LOG_LEVEL:-info}", "level: info") // it tells when it is ready
	l.stack = stacktest.Start(t, root(t), nativestack.Options{Config: l.config, Dir: l.data, Env: []string{"CONFIG_SERVICE_LOG_LEVEL=WARN"}})
	for where, page := range map[hop]int{readService: nativestack.Service, scrapeService: nativestack.Service, readCollector: 8889, scrapeCollector: 8889} {
		l.liars[where] = newLiar(t, l.stack.URL(page, "/metrics"))
	}
	l.target("config-service", l.instance(scrapeService))
	l.target("otel-collector-exporter", l.instance(scrapeCollector))
	for _, where := range []hop{scrapeService, scrapeCollector} {
		testwait.Until(l.t, "Prometheus reads by way of the liars", func() bool { return l.liars[where].served.Load() > 1 })
	}
	return l
}

func (l *lab) copyConfig() {
	l.t.Helper()
	from := filepath.Join(root(l.t), "observability")
	for _, name := range []string{"otel-collector.yml", "prometheus.yml"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err := errors.Join(err, os.WriteFile(filepath.Join(l.config, name), text, 0o644)); err != nil {
			l.t.Fatal(err)
		}
	}
	for _, name := range []string{"rules", "targets", "grafana"} {
		if err := os.CopyFS(filepath.Join(l.config, name), os.DirFS(filepath.Join(from, name))); err != nil {
			l.t.Fatal(err)
		}
	}
}

// edit replaces texts of a configuration file, each of which must be there.
func (l *lab) edit(file string, oldNew ...string) {
	editFile(l.t, filepath.Join(l.config, file), oldNew...)
}

func editFile(t *testing.T, path string, oldNew ...string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%s has no %q", path, oldNew[i])
		}
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// instance is a target of Prometheus that keeps the name of the real one.
func (l *lab) instance(where hop) string {
	return fmt.Sprintf("- targets: ['%s']\n  labels: {instance: '%s'}\n",
		strings.TrimPrefix(l.liars[where].server.URL, "http://"), l.stack.Address(nativestack.Service))
}

// target sets what Prometheus scrapes for a job; it notices by itself.
func (l *lab) target(job, targets string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.data, "prometheus", "targets", job+".yml"), []byte(targets), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

// prometheus changes the configuration of the running Prometheus, and returns
// how to change it back.
func (l *lab) prometheus(oldNew ...string) (undo func()) {
	return l.reload("prometheus", filepath.Join(l.data, "prometheus", "prometheus.yml"), oldNew...)
}

// collector does so with the running Collector, and returns once it runs anew.
func (l *lab) collector(oldNew ...string) (undo func()) {
	var back func()
	l.untilRestarted(func() { back = l.reload("otel-collector", filepath.Join(l.config, "otel-collector.yml"), oldNew...) })
	return func() { l.untilRestarted(back) }
}

func (l *lab) untilRestarted(change func()) {
	l.t.Helper()
	starts := func() int { return strings.Count(l.stack.Said(), "Everything is ready") }
	before := starts()
	change()
	testwait.Until(l.t, "the Collector has restarted", func() bool { return starts() > before })
}

func (l *lab) reload(program, path string, oldNew ...string) (undo func()) {
	l.t.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	editFile(l.t, path, oldNew...)
	l.signal(program, syscall.SIGHUP)
	return func() {
		if err := os.WriteFile(path, was, 0o644); err != nil {
			l.t.Fatal(err)
		}
		l.signal(program, syscall.SIGHUP)
	}
}

func (l *lab) signal(program string, signal syscall.Signal) {
	l.t.Helper()
	pid, err := l.stack.PID(program)
	if err := errors.Join(err, syscall.Kill(pid, signal)); err != nil {
		l.t.Fatal(err)
	}
}

// run puts the stack under load and verifies it.
func (l *lab) run(t *testing.T, args ...string) ending {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	all := append([]string{"observability/loadtest/testdata/mutation.yaml",
		"--settle", "3s", "--sampled", "0.2",
		"--metrics", l.liars[readService].server.URL, "--collector", l.liars[readCollector].server.URL}, args...)
	return loadtest(ctx, t, l.stack, all...)
}

// underLoad returns once the load has begun: its world is there.
func (l *lab) underLoad() {
	testwait.Until(l.t, "the load begins", func() bool { return !strings.Contains(l.page(l.t), "\nconfig_applications 0\n") })
}

// untilMended returns once Prometheus has scraped anew, and knows by both paths
// of all the requests that the service has counted.
func (l *lab) untilMended(t *testing.T) {
	t.Helper()
	for _, where := range []hop{scrapeService, scrapeCollector} {
		enough := l.liars[where].served.Load() + 2 // one of them may have begun before
		testwait.Until(t, "Prometheus scrapes anew", func() bool { return l.liars[where].served.Load() >= enough })
	}
	const selector = `http_server_request_duration_seconds_count{job="config-service",http_route=~"/api/.*"}`
	testwait.Until(t, "both paths tell the same again", func() bool {
		want := 0.0
		for _, told := range rows(l.page(t)) {
			if told != nil && told.name == durations+"_count" && counting(*told) {
				want += told.value
			}
		}
		both, err := l.stack.Prometheus().Query(t.Context(), "sum by (via) ("+selector+")")
		return err == nil && len(both) == 2 && both[0].Value == want && both[1].Value == want
	})
}

func (l *lab) page(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(l.stack.URL(nativestack.Service, "/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
