//go:build live

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/gate"
	"configservice/observability/loadtest/verify"
)

// A mutation breaks the pipeline in one way. The claim that exists for it must
// be false, by a finding of these words; and no claim that has nothing to do with it.
type mutation struct {
	name    string
	claim   string
	finding string // regular expression
	also    string // claims that may be false as well, for they look at what is broken, too

	at   []hop                           // where somebody is lied to
	lie  lie                             // and what
	late time.Duration                   // how old the news are there
	do   func(*lab) (undo func())        // or what is done to the pipeline
	args func(*testing.T, *lab) []string // or what the tester is given
	amid func(*lab) (undo func())        // or what is done while the load runs
}

func mutations() []mutation {
	atDirect := []hop{scrapeService}
	return []mutation{
		{name: "a counter misses 1 in 1,000", claim: "2", finding: `^GET .* 200 by /metrics of the service: .*\(-1\)`,
			at: everywhere(), lie: only(counting, missOneInAThousand)},
		{name: "one path misses 1 in 1,000", claim: "2", finding: `^GET .* 200 by Prometheus, Collector path: .*\(-1\)`,
			at: []hop{scrapeCollector}, lie: only(counting, missOneInAThousand)},
		{name: "a label is dropped", claim: "2", finding: `^GET /api/v1/applications  by Prometheus, direct path: expected 0`, also: "4 8 traces",
			do: relabel("action: labeldrop, regex: http_response_status_code")},
		{name: "a metric is renamed", claim: "2", finding: `^requests of .* by Prometheus, direct path: .*found 0 `, also: "4 5 8 traces",
			do: relabel("source_labels: [__name__], regex: 'http_server_request_duration_seconds_(.*)', target_label: __name__, replacement: http_server_duration_seconds_$1")},
		{name: "the service is scraped twice", claim: "2", finding: `^requests of .* by Prometheus, direct path: `, also: "6 7 8",
			do: scrapeTwice},
		{name: "a route leaks names", claim: "2", finding: `^GET /api/v1/config/shop/main 200 by .*expected 0`, also: "4 traces",
			at: everywhere(), lie: only(counting, leakIDs)},
		{name: "the Collector hangs", claim: "2", finding: `^requests by the Collector's exporter: `, also: "3 5 7 8 traces",
			amid: hang("otel-collector")},
		{name: "a counter starts anew", claim: "3", finding: `^counters that went back: `, also: "2 4 6 8",
			amid: restart},
		{name: "an attribute overflows", claim: "3", finding: `^series that overflowed, by `, also: "2 4 traces",
			at: everywhere(), lie: only(counting, overflow)},
		{name: "the last bucket is not the count", claim: "3", finding: `^series whose \+Inf bucket is not their count, by Prometheus, direct path: `,
			at: atDirect, lie: only(counting, loseFromTheLastBucket)},
		{name: "the Collector refuses", claim: "3", finding: `^items that the Collector refused.* memory_limiter`, also: "2 5 7 8 traces",
			do: tinyMemory},
		{name: "a queue is too small", claim: "3", finding: `^items that the Collector refused.*otelcol_exporter_enqueue_failed`,
			do: tinyQueue},
		{name: "a unit is wrong", claim: "4", finding: `^p99 of the client and of the service: `,
			at: atDirect, lie: only(counting, inMilliseconds)},
		{name: "buckets are coarse", claim: "4", finding: `^p50 of the client and of the service: expected over 0s, `, also: "traces",
			at: atDirect, lie: only(counting, coarse)},
		{name: "a panel asks for what there is not", claim: "5", finding: `^panels, .*: configuration-service: API requests`,
			args: brokenPanel},
		{name: "CPU time is counted half again", claim: "6", finding: `^CPU seconds of the service`,
			at: atDirect, lie: only(named("process_cpu_time_seconds_total"), halfMore)},
		{name: "a gauge of the business is frozen", claim: "7", finding: `^config_configurations by Prometheus, direct path: expected 3, found 0`,
			at: atDirect, lie: only(named("config_configurations"), frozen())},
		{name: "news are old", claim: "8", finding: `^95th percentile .* found 1[5-9]`,
			at: []hop{scrapeCollector}, late: 16 * time.Second, args: patient},
		{name: "exemplars lead elsewhere", claim: "traces", finding: `^exemplars of requests sent as sampled, by the path direct: expected at least 1, found 0`,
			at: atDirect, lie: only(counting, forgeTraces)},
	}
}

// A verifier that cannot fail proves nothing: each mutation must make it say
// that its claim is false, while without one it says that all are true.
func TestAMutationOfThePipelineSurvives(t *testing.T) {
	l := newLab(t)
	if e := l.run(t); e.code != exitTrue {
		t.Fatalf("without a mutation the exit code is %d, want %d\n%s%s", e.code, exitTrue, e.stdout, e.stderr)
	}
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) {
			e := l.mutate(t, m)
			if err := m.caught(e); err != nil {
				t.Errorf("%v\n%s%s", err, e.stdout, e.stderr)
			}
			l.untilMended(t)
		})
	}
	if e := l.run(t); e.code != exitTrue {
		t.Errorf("with all mended again the exit code is %d, want %d\n%s%s", e.code, exitTrue, e.stdout, e.stderr)
	}
}

// caught returns nil when the verifier found what the mutation broke, and that only.
func (m mutation) caught(e ending) error {
	if e.run == nil || e.code != exitFalse {
		return fmt.Errorf("it survives: the exit code is %d, want %d", e.code, exitFalse)
	}
	found := false
	for _, c := range e.run.Claims {
		switch {
		case c.ID == m.claim:
			found = m.foundBy(c)
		case c.Verdict != verify.True && !slices.Contains(strings.Fields(m.also), c.ID):
			return fmt.Errorf("claim %s is %s, though the mutation has nothing to do with it", c.ID, c.Verdict)
		}
	}
	if !found {
		return fmt.Errorf("it survives: claim %s has no false finding like %q", m.claim, m.finding)
	}
	return nil
}

func (m mutation) foundBy(c verify.Claim) bool {
	return slices.ContainsFunc(c.Findings, func(f verify.Finding) bool {
		return f.Verdict == verify.False && regexp.MustCompile(m.finding).MatchString(f.What+": "+detail(f))
	})
}

// mutate breaks the pipeline, runs a load, and mends it.
func (l *lab) mutate(t *testing.T, m mutation) ending {
	for _, where := range m.at {
		l.liars[where].tell(m.lie, m.late)
		defer l.liars[where].tell(nil, 0)
	}
	if m.do != nil {
		defer m.do(l)()
	}
	var args []string
	if m.args != nil {
		args = m.args(t, l)
	}
	if m.amid == nil {
		return l.run(t, args...)
	}
	ended := make(chan ending)
	go func() { ended <- l.run(t, args...) }()
	l.underLoad()
	defer m.amid(l)()
	return <-ended
}

// relabel changes what Prometheus makes of the service's page.
func relabel(rule string) func(*lab) func() {
	return func(l *lab) func() {
		return l.prometheus(
			"      - files: [targets/config-service.yml]\n",
			"      - files: [targets/config-service.yml]\n    metric_relabel_configs:\n      - {"+rule+"}\n")
	}
}

func scrapeTwice(l *lab) func() {
	once := l.instance(scrapeService)
	again := strings.ReplaceAll(once, "labels: {instance: '127.0.0.1:", "labels: {instance: 'localhost:")
	l.target("config-service", once+again)
	targets := func(n int) func() bool {
		return func() bool {
			samples, err := l.stack.Prometheus().Query(l.t.Context(), `up{job="config-service"}`)
			return err == nil && len(samples) == n
		}
	}
	testwait.Until(l.t, "Prometheus scrapes twice", targets(2))
	return func() {
		l.target("config-service", once)
		testwait.Until(l.t, "Prometheus scrapes once again", targets(1))
	}
}

// hang stops a program without ending it.
func hang(program string) func(*lab) func() {
	return func(l *lab) func() {
		l.signal(program, syscall.SIGSTOP)
		return func() { l.signal(program, syscall.SIGCONT) }
	}
}

// restart makes the service's counters begin at nothing, for Prometheus alone.
func restart(l *lab) func() {
	l.liars[scrapeService].tell(only(counting, restarted()), 0)
	return func() { l.liars[scrapeService].tell(nil, 0) }
}

func tinyMemory(l *lab) func() {
	return l.collector("limit_mib: ${env:COLLECTOR_MEMORY_MIB:-512}", "limit_mib: 4")
}

func tinyQueue(l *lab) func() {
	return l.collector(
		"    verbosity: basic\n", "    verbosity: basic\n    sending_queue: {enabled: true, sizer: items, queue_size: 1}\n",
		"    timeout: 5s\n", "    timeout: 200ms\n") // or it is noticed after the run
}

// brokenPanel is a copy of the dashboards in which one asks for another metric.
func brokenPanel(t *testing.T, _ *lab) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root(t), "observability/grafana/provisioning/dashboards"))); err != nil {
		t.Fatal(err)
	}
	editFile(t, filepath.Join(dir, "configuration-service.json"), `job_route:http_server_requests:rate1m`, `job_route:http_server_requests:rate`)
	return []string{"--dashboards", dir}
}

// patient waits until old news must have come.
func patient(*testing.T, *lab) []string { return []string{"--settle", "18s"} }

// An alert that asks for what there is not never fires. That is told without a
// load, by the gate; that the others do fire, by the drill.
func TestADeadAlertSurvives(t *testing.T) {
	l := newLab(t)
	catalogue, err := gate.ReadCatalogue(filepath.Join(root(t), "observability/gate/catalogue.json"))
	if err != nil {
		t.Fatal(err)
	}
	faults := func() (faults []error) {
		rules, err := gate.ReadRules(filepath.Join(l.config, "rules"))
		if err != nil {
			t.Fatal(err)
		}
		checker := gate.NewChecker(l.stack.Prometheus(), catalogue.With(gate.Rare()), rules)
		for _, q := range gate.Questions(rules) {
			faults = append(faults, checker.Check(t.Context(), q)...)
		}
		return faults
	}
	if f := faults(); len(f) > 0 {
		t.Fatalf("without a mutation: %v", f)
	}
	l.edit("rules/telemetry.yml", `increase(config_telemetry_errors_total{via="direct"}[5m])`, `increase(config_telemetry_error_total{via="direct"}[5m])`)
	f := faults()
	if !slices.ContainsFunc(f, func(err error) bool { return strings.Contains(err.Error(), "config_telemetry_error_total") }) {
		t.Errorf("an alert on a metric that there is not survives; the faults are %v", f)
	}
}
