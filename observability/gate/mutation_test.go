package gate

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/internal/dashboard"
	"configservice/observability/internal/nativestack"
	"configservice/observability/internal/stacktest"
)

// A gate that lets everything through proves nothing: each of these breaks one thing.

func TestABrokenQueryIsCaught(t *testing.T) {
	parser, known := parser(t), catalogue(t).With(Rare())
	for _, m := range []struct{ name, expr, fault string }{
		{"a parenthesis too many", `sum(config_applications{via="direct"}))`, "parse error"},
		{"a variable that nobody fills in", `config_applications{instance=~"$instanze"}[$__rate]`, "parse error"},
		{"a metric that there is not", `sum(config_application)`, "there is no metric config_application"},
		{"a recorded series that there is not", `job_route:http_server_requests:rate2m`, "there is no metric job_route:http_server_requests:rate2m"},
		{"a label that there is not", `config_writes_total{result="ok"}`, "config_writes_total has no label result"},
		{"a value that there is not", `config_writes_total{outcome="okay"}`, `config_writes_total has no outcome that is ="okay"`},
		{"a value that cannot be excluded", `config_writes_total{outcome!="okay"}`, `config_writes_total has no outcome that is !="okay"`},
		{"a pattern that nothing matches", `config_writes_total{outcome=~"err"}`, `config_writes_total has no outcome that is =~"err"`},
		{"a bound that is no bucket", `http_server_request_duration_seconds_bucket{le="0.2"}`, `no le that is ="0.2"`},
		{"a path that there is not", `config_applications{via="push"}`, `no via that is ="push"`},
		{"a sum by a label that there is not", `sum by (route) (http_server_active_requests)`, "sum by route, which is not among"},
		{"a join on a label of one side", `config_writes_total / on (operation) config_applications`, "/ on operation, which is not among"},
		{"a quantile without buckets", `histogram_quantile(0.9, sum by (job) (rate(http_server_request_duration_seconds_bucket[1m])))`, "histogram_quantile over le, which is not among"},
		{"a rate of a gauge", `rate(config_applications[1m])`, "rate of config_applications, which is a gauge"},
		{"a label that a rule has dropped", `sum by (instance) (job_route:http_server_requests:rate1m)`, "sum by instance, which is not among"},
		{"an alert's label that no alert has", `ALERTS{team="a"}`, "ALERTS has no label team"},
		{"an alert that there is not", `ALERTS{alertname="ServiceAway"}`, `ALERTS has no alertname that is ="ServiceAway"`},
	} {
		t.Run(m.name, func(t *testing.T) {
			faults := NewChecker(parser, known, rules(t)).Check(t.Context(), Question{Where: "here", Expr: m.expr})
			wantFault(t, faults, m.fault)
		})
	}
	t.Run("a legend that shows a label that there is not", func(t *testing.T) {
		faults := NewChecker(parser, known, rules(t)).Check(t.Context(), Question{Where: "here", Expr: `sum by (job) (up)`, Uses: []string{"instance"}})
		wantFault(t, faults, "here: the answer has no label instance, only job")
	})
}

func TestABrokenPanelOrRuleIsCaughtWhereItStands(t *testing.T) {
	parser, known := parser(t), catalogue(t).With(Rare())
	check := func(questions []Question) (faults []error) {
		checker := NewChecker(parser, known, rules(t))
		for _, q := range questions {
			faults = append(faults, checker.Check(t.Context(), q)...)
		}
		return faults
	}
	t.Run("panel", func(t *testing.T) {
		board := boards(t)[0]
		broken := &board.Panels[1].Targets[0]
		broken.Expr = strings.Replace(broken.Expr, "up{", "upp{", 1)
		wantFault(t, check(BoardQuestions(board)), `configuration-service: panel Instances: query A: there is no metric upp`)
	})
	t.Run("annotation", func(t *testing.T) {
		board := boards(t)[0]
		board.Annotations.List[0].TagKeys = "scenery"
		wantFault(t, check(BoardQuestions(board)), "configuration-service: annotation Load tests: the answer has no label scenery")
	})
	t.Run("variable", func(t *testing.T) {
		board := boards(t)[0]
		board.Templating.List[0].Query.Query = "label_values(up, route)"
		wantFault(t, check(BoardQuestions(board)), "configuration-service: variable http_route: the answer has no label route")
	})
	t.Run("alert", func(t *testing.T) {
		broken := rules(t)
		for i, rule := range broken {
			if rule.Alert == "ReplicaStale" {
				broken[i].Annotations = map[string]string{"summary": "{{ $labels.replica }} is behind"}
			}
		}
		wantFault(t, check(Questions(broken)), "rules: service.yml: ReplicaStale: the answer has no label replica")
	})
}

func TestADashboardThatIsNotWholeIsCaught(t *testing.T) {
	for _, m := range []struct {
		name  string
		spoil func(board *dashboard.Dashboard, panel *dashboard.Panel)
		fault string
	}{
		{"no title", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Title = "" }, "has no title"},
		{"no unit", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.FieldConfig.Defaults.Unit = "" }, "has no unit"},
		{"no advice", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Description = "Requests." }, "needs a description"},
		{"no query", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Targets = nil }, "asks nothing"},
		{"no legend", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Targets[0].LegendFormat = "" }, "has no legend"},
		{"no thresholds", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.FieldConfig.Defaults.Thresholds = nil }, "coloured by thresholds, and has none"},
		{"thresholds that fall", func(_ *dashboard.Dashboard, p *dashboard.Panel) {
			steps := p.FieldConfig.Defaults.Thresholds.Steps
			steps[1].Value, steps[2].Value = steps[2].Value, steps[1].Value
		}, "thresholds must rise"},
		{"another data source", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Targets[0].Datasource.UID = "P1809F7CD0C75ACF3" }, "not the provisioned one"},
		{"a type that the viewer lacks", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Type = "piechart" }, `is a "piechart", which the viewer does not draw`},
		{"an id twice", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.ID = 1 }, "has the id 1"},
		{"panels over each other", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.GridPos.W = 10 }, "lies over"},
		{"a panel off the grid", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.GridPos.X = 22 }, "is not on the grid"},
		{"a runbook that there is not", func(_ *dashboard.Dashboard, p *dashboard.Panel) {
			p.Links = []dashboard.Link{{URL: "/public/runbooks/ServiceAway.md"}}
		}, "the runbook ServiceAway.md, which there is not"},
		{"a variable that there is not", func(_ *dashboard.Dashboard, p *dashboard.Panel) { p.Targets[0].Expr = "up{job=~\"$jobs\"}" }, "has the variable $jobs"},
		{"no first row", func(b *dashboard.Dashboard, _ *dashboard.Panel) { b.Panels = b.Panels[1:] }, `the first panel is not the row "Is it well?"`},
		{"another schema", func(b *dashboard.Dashboard, _ *dashboard.Panel) { b.SchemaVersion = 42 }, "schemaVersion is 42"},
		{"no marks of load tests", func(b *dashboard.Dashboard, _ *dashboard.Panel) { b.Annotations.List = nil }, "annotations Load tests and Restarts"},
		{"no way to the others", func(b *dashboard.Dashboard, _ *dashboard.Panel) { b.Tags, b.Links = nil, nil }, "no link to the other dashboards"},
	} {
		t.Run(m.name, func(t *testing.T) {
			board := boards(t)[0]
			m.spoil(&board, &board.Panels[1])
			wantFault(t, Lint(board, runbooks()), m.fault)
		})
	}
	t.Run("an alert that no panel leads to", func(t *testing.T) {
		if left := Unlinked(boards(t)[:1], rules(t)); len(left) == 0 {
			t.Error("the first dashboard alone is said to lead to every runbook")
		}
	})
	t.Run("a field that the viewer does not know", func(t *testing.T) {
		_, err := dashboard.Parse([]byte(`{"uid": "x", "panels": [{"type": "stat", "repeat": "instance"}]}`))
		wantFault(t, []error{err}, `unknown field "repeat"`)
	})
}

func TestACatalogueThatIsNotTrueIsCaught(t *testing.T) {
	for _, m := range []struct {
		name  string
		spoil func(there Catalogue)
		fault string
	}{
		{"a metric is gone", func(c Catalogue) { delete(c, "config_applications") }, "config_applications is in the catalogue, and the stack does not emit it"},
		{"a metric is new", func(c Catalogue) { c["config_new"] = Metric{Name: "config_new"} }, "config_new is emitted, and not in the catalogue"},
		{"a metric has another type", func(c Catalogue) { c["up"] = Metric{"up", "counter", c["up"].Labels} }, "up is a counter, in the catalogue a gauge"},
		{"a label is gone", func(c Catalogue) { delete(c["config_writes_total"].Labels, "outcome") }, "config_writes_total has the label outcome in the catalogue, and not in what the stack emits"},
		{"a label is new", func(c Catalogue) { c["config_writes_total"].Labels["id"] = nil }, "config_writes_total is emitted with the label id, which is not in the catalogue"},
		{"a value is gone", func(c Catalogue) { c["config_watch_watchers"].Labels["transport"] = []string{"sse"} }, `config_watch_watchers: the values of transport are ["sse"], in the catalogue ["long_poll" "sse"]`},
	} {
		t.Run(m.name, func(t *testing.T) {
			there := catalogue(t)
			m.spoil(there)
			wantFault(t, Compare(catalogue(t), there, Rare()), m.fault)
		})
	}
	if faults := Compare(catalogue(t), catalogue(t), Rare()); len(faults) > 0 {
		t.Errorf("the catalogue differs from itself: %v", faults)
	}
}

// A metric is renamed in the service's source, and a label dropped in prometheus.yml; then the whole
// stack runs with both.
func TestARenamedMetricAndADroppedLabelAreCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the service anew and runs a stack; not with -short")
	}
	stack := stacktest.Start(t, root, nativestack.Options{Bin: binWithRenamedMetric(t), Config: configWithDroppedLabel(t)})
	testwait.UntilWithin(t, "both paths were scraped", time.Minute, func() bool {
		return hasData(t, stack.Prometheus(), `config_configurations`) && hasData(t, stack.Prometheus(), `config_configurations{via="collector"}`)
	})
	there, err := Observe(t.Context(), stack.Prometheus(), func(_, job string) bool { return job == "config-service" })
	if err != nil {
		t.Fatal(err)
	}
	faults := Compare(catalogue(t), there, Rare())
	wantFault(t, faults, "config_store_revision is in the catalogue, and the stack does not emit it")
	wantFault(t, faults, "config_store_rev is emitted, and not in the catalogue")
	wantFault(t, faults, `config_configurations: the values of via are ["collector"], in the catalogue ["collector" "direct"]`)
}

// binWithRenamedMetric is bin/ with a service that calls config.store.revision by another name.
func binWithRenamedMetric(t *testing.T) string {
	t.Helper()
	bin, top := t.TempDir(), absRoot(t)
	for _, name := range []string{"otelcol", "cadvisor", "prometheus", "viewer"} {
		if err := os.Symlink(filepath.Join(top, "bin", name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	source := filepath.Join(top, "svc", "internal", "instrument", "total.go")
	changed := filepath.Join(t.TempDir(), "total.go")
	replaceIn(t, source, changed, `"config.store.revision"`, `"config.store.rev"`)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-overlay", file, "-o", filepath.Join(bin, "config-service"), "./svc")
	build.Dir = top
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// configWithDroppedLabel is the configuration whose first job no longer sets via.
func configWithDroppedLabel(t *testing.T) string {
	t.Helper()
	config := t.TempDir()
	const file = "prometheus.yml"
	for _, name := range []string{"otel-collector.yml", "rules", "targets", "grafana"} {
		if err := os.Symlink(filepath.Join(absRoot(t), "observability", name), filepath.Join(config, name)); err != nil {
			t.Fatal(err)
		}
	}
	replaceIn(t, filepath.Join("..", file), filepath.Join(config, file), "relabel_configs: &direct\n      - {target_label: via, replacement: direct}", "relabel_configs: &direct []")
	return config
}

func replaceIn(t *testing.T, from, to, old, new string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("%s has no %q any more; the test would prove nothing", from, old)
	}
	if err := os.WriteFile(to, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantFault(t *testing.T, faults []error, want string) {
	t.Helper()
	if !strings.Contains(errorText(faults), want) {
		t.Errorf("no fault says %q, only:\n%s", want, errorText(faults))
	}
}

func errorText(faults []error) string {
	if err := errors.Join(faults...); err != nil {
		return err.Error()
	}
	return ""
}

func absRoot(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return top
}
