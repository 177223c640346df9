//go:build live

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/observability/gate"
	"configservice/observability/internal/testwait"
)

// A mutation breaks the pipeline in one way. The claim must catch it.
type mutation struct {
	name  string
	claim string

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
		{name: "a counter misses 1 in 1,000", claim: "2", at: everywhere(), lie: only(counting, missOneInAThousand)},
		{name: "one path misses 1 in 1,000", claim: "2", at: []hop{scrapeCollector}, lie: only(counting, missOneInAThousand)},
		{name: "a label is dropped", claim: "2", do: relabel("action: labeldrop, regex: http_response_status_code")},
		{name: "a metric is renamed", claim: "2", do: relabel("source_labels: [__name__], regex: 'http_server_request_duration_seconds_(.*)', target_label: __name__, replacement: http_server_duration_seconds_$1")},
		{name: "the service is scraped twice", claim: "2", do: scrapeTwice},
		{name: "a route leaks names", claim: "2", at: everywhere(), lie: only(counting, leakIDs)},
		{name: "the Collector hangs", claim: "2", amid: hang("otel-collector")},
		{name: "a counter starts anew", claim: "3", at: atDirect, lie: only(counting, restarting(6*time.Second))},
		{name: "an attribute overflows", claim: "3", at: everywhere(), lie: only(counting, overflow)},
		{name: "the last bucket is not the count", claim: "3", at: atDirect, lie: only(counting, loseFromTheLastBucket)},
		{name: "the Collector refuses", claim: "3", do: tinyMemory},
		{name: "a queue is too small", claim: "3", do: tinyQueue},
		{name: "a unit is wrong", claim: "4", at: atDirect, lie: only(counting, inMilliseconds)},
		{name: "buckets are coarse", claim: "4", at: atDirect, lie: only(counting, coarse)},
		{name: "a panel asks for what there is not", claim: "5", args: brokenPanel},
		{name: "CPU time is counted half again", claim: "6", at: atDirect, lie: only(named("process_cpu_time_seconds_total"), halfMore)},
		{name: "a gauge of the business is frozen", claim: "7", at: atDirect, lie: only(named("config_configurations"), frozen())},
		{name: "news are old", claim: "8", at: []hop{scrapeCollector}, late: 16 * time.Second, args: patient},
		{name: "exemplars lead elsewhere", claim: "traces", at: atDirect, lie: only(counting, forgeTraces)},
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
			if e.code != exitFalse || !slices.Contains(e.falseClaims(), m.claim) {
				t.Errorf("it survives: exit code %d, want %d; false are the claims %v, want %s\n%s%s", e.code, exitFalse, e.falseClaims(), m.claim, e.stdout, e.stderr)
				return
			}
			t.Logf("caught by claim %s (false: %s)", m.claim, strings.Join(e.falseClaims(), ", "))
		})
	}
	if e := l.run(t); e.code != exitTrue {
		t.Errorf("with all mended again the exit code is %d, want %d\n%s%s", e.code, exitTrue, e.stdout, e.stderr)
	}
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

func tinyMemory(l *lab) func() {
	return l.collector("limit_mib: ${env:COLLECTOR_MEMORY_MIB:-512}", "limit_mib: 4")
}

func tinyQueue(l *lab) func() {
	return l.collector("    verbosity: basic\n", "    verbosity: basic\n    sending_queue: {enabled: true, sizer: items, queue_size: 1}\n")
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
	if f := faults(); len(f) == 0 {
		t.Error("an alert on a metric that there is not survives")
	}
}
