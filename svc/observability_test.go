package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"golang.org/x/sys/unix"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/instrument"
)

const (
	sampledTrace   = "0af7651916cd43dd8448eb211c80319c"
	unsampledTrace = "1af7651916cd43dd8448eb211c80319c"
)

// startTelemetry starts telemetry in the environment as it is; signals that it
// says nothing of are not exported.
func startTelemetry(t *testing.T) (*telemetry, *safeBuffer) {
	t.Helper()
	for _, signal := range []string{"TRACES", "METRICS", "LOGS"} {
		if name := "OTEL_" + signal + "_EXPORTER"; os.Getenv(name) == "" {
			t.Setenv(name, "none")
		}
	}
	stdout := &safeBuffer{}
	tel, err := newTelemetry(t.Context(), "1.2.3", slog.LevelInfo, stdout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stopTelemetry(tel, 100*time.Millisecond) })
	return tel, stdout
}

func stopTelemetry(tel *telemetry, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return tel.shutdown(ctx)
}

// request sends one request through the middleware, as part of trace if there
// is one: sampled, unless it is unsampledTrace.
func request(tel *telemetry, trace string) {
	req := httptest.NewRequest(http.MethodGet, "/things/1", nil)
	if trace != "" {
		req.Header.Set("Traceparent", fmt.Sprintf("00-%s-b7ad6b7169203331-%02d", trace, map[bool]int{true: 1}[trace != unsampledTrace]))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(_ http.ResponseWriter, r *http.Request) {
		tel.logger.InfoContext(r.Context(), "handled")
		tel.logger.DebugContext(r.Context(), "detail")
	})
	tel.middleware(mux).ServeHTTP(httptest.NewRecorder(), req)
}

func scrape(tel *telemetry, accept string) string {
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", accept)
	rec := httptest.NewRecorder()
	tel.metricsHandler.ServeHTTP(rec, req)
	return rec.Body.String()
}

func families(t *testing.T, tel *telemetry) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(scrape(tel, "text/plain")))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestScrapeIsNoValidText(t *testing.T) {
	tel, _ := startTelemetry(t)
	request(tel, "")
	all := families(t, tel)
	for _, name := range []string{
		"target_info", "http_server_request_duration_seconds", "http_server_active_requests", "config_reads_total",
		"go_goroutine_count", "process_cpu_time_seconds_total", "config_telemetry_errors_total",
	} {
		if all[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if n := all["config_telemetry_errors_total"].GetMetric()[0].GetCounter().GetValue(); n != 0 {
		t.Errorf("%v errors before there was one", n)
	}
	for name, family := range all {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.HasPrefix(l.GetName(), "otel_") {
					t.Errorf("%s has label %s", name, l.GetName())
				}
			}
		}
	}
}

func TestExemplarIsMissingOrOfATraceNobodyKept(t *testing.T) {
	tel, _ := startTelemetry(t)
	request(tel, sampledTrace)
	request(tel, unsampledTrace)
	open := scrape(tel, "application/openmetrics-text; version=1.0.0")
	if !strings.HasSuffix(open, "# EOF\n") {
		t.Fatal("not OpenMetrics:", open)
	}
	found := false
	for line := range strings.Lines(open) {
		if strings.HasPrefix(line, "http_server_request_duration_seconds_bucket") && strings.Contains(line, `trace_id="`+sampledTrace+`"`) {
			found = true
		}
		if strings.Contains(line, unsampledTrace) {
			t.Error("an exemplar of a trace that is not kept:", line)
		}
	}
	if !found {
		t.Error("no exemplar on the durations:", open)
	}
	if text := scrape(tel, "text/plain"); strings.Contains(text, sampledTrace) {
		t.Error("an exemplar in the old text format, which has none")
	}
}

// A Collector's Prometheus exporter translates names by the same rules as ours,
// so what OTLP carries must come out as what a scrape shows.
func TestScrapeAndOTLPTellDifferentThings(t *testing.T) {
	collector := startCollector(t, http.StatusOK)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000") // only the last export, at shutdown
	tel, _ := startTelemetry(t)
	for range 5 {
		request(tel, "")
	}
	tel.outcomes.Read(t.Context(), "cache", "hit")
	scraped := families(t, tel)
	if err := stopTelemetry(tel, waitFor); err != nil {
		t.Fatal(err)
	}
	delete(scraped, "target_info")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(scraped)), collector.prometheusNames(t)); diff != "" {
		t.Errorf("scraped (-) and over OTLP (+): %s", diff)
	}
	direct := scraped["http_server_request_duration_seconds"].GetMetric()[0]
	point := collector.metrics["http.server.request.duration"].GetHistogram().GetDataPoints()[0]
	if direct.GetHistogram().GetSampleCount() != 5 || point.GetCount() != 5 {
		t.Errorf("5 requests count as %d and %d", direct.GetHistogram().GetSampleCount(), point.GetCount())
	}
	var bounds []float64
	for _, b := range direct.GetHistogram().GetBucket() {
		if !math.IsInf(b.GetUpperBound(), 1) {
			bounds = append(bounds, b.GetUpperBound())
		}
	}
	if diff := cmp.Diff(bounds, point.GetExplicitBounds()); diff != "" {
		t.Error("buckets:", diff)
	}
	if diff := cmp.Diff(scrapedLabels(direct), sentLabels(point)); diff != "" {
		t.Error("labels:", diff)
	}
}

func (c *fakeCollector) prometheusNames(t *testing.T) []string {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	var all []string
	for _, m := range c.metrics {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		switch d := m.GetData().(type) {
		case *metricspb.Metric_Histogram:
			kind = otlptranslator.MetricTypeHistogram
		case *metricspb.Metric_Sum:
			kind = otlptranslator.MetricTypeNonMonotonicCounter
			if d.Sum.GetIsMonotonic() {
				kind = otlptranslator.MetricTypeMonotonicCounter
			}
		}
		name, err := namer.Build(otlptranslator.Metric{Name: m.GetName(), Unit: m.GetUnit(), Type: kind})
		if err != nil {
			t.Error(err)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func scrapedLabels(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}

func sentLabels(p *metricspb.HistogramDataPoint) map[string]string {
	all := map[string]string{}
	for _, kv := range p.GetAttributes() {
		value := kv.GetValue().GetStringValue()
		if n := kv.GetValue().GetIntValue(); n != 0 {
			value = fmt.Sprint(n)
		}
		all[strings.ReplaceAll(kv.GetKey(), ".", "_")] = value
	}
	return all
}

func TestLogLineLosesItsTraceOnTheWay(t *testing.T) {
	collector := startCollector(t, http.StatusOK)
	tel, stdout := startTelemetry(t)
	request(tel, sampledTrace)
	if err := stopTelemetry(tel, waitFor); err != nil {
		t.Fatal(err)
	}
	var line map[string]string
	if err := json.Unmarshal([]byte(stdout.String()), &line); err != nil {
		t.Fatal(err, stdout)
	}
	if line["msg"] != "handled" || line["trace_id"] != sampledTrace || len(line["span_id"]) != 16 {
		t.Errorf("on stdout: %v", line)
	}
	if collector.logged() != "handled\n" {
		t.Fatalf("over OTLP, where debug is too much: %q", collector.logged())
	}
	record, span := collector.records[0], collector.spans[0]
	if hex.EncodeToString(record.GetTraceId()) != sampledTrace || hex.EncodeToString(record.GetSpanId()) != line["span_id"] ||
		hex.EncodeToString(span.GetSpanId()) != line["span_id"] || span.GetName() != "GET /things/{id}" {
		t.Errorf("the line, its record %v and its span %v do not belong together", record, span)
	}
}

func TestDisabledTelemetryLeavesSomethingOnOrTheLogOff(t *testing.T) {
	startCollector(t, http.StatusOK)
	t.Setenv("OTEL_SDK_DISABLED", "TRUE")
	tel, stdout := startTelemetry(t)
	request(tel, sampledTrace)
	rec := httptest.NewRecorder()
	tel.metricsHandler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "OTEL_SDK_DISABLED") {
		t.Errorf("/metrics is %d %s", rec.Code, rec.Body)
	}
	if s := stdout.String(); !strings.Contains(s, `"trace_id":"`+sampledTrace+`"`) {
		t.Errorf("the line lacks its trace: %s", s)
	}
	if err := tel.shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMistakeInAVariableIsIgnored(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_SDK_DISABLED":           "1",
		"OTEL_TRACES_EXPORTER":        "jaeger",
		"OTEL_METRICS_EXPORTER":       "otlp,console",
		"OTEL_METRICS_PRODUCERS":      "prometheus",
		"OTEL_LOGS_EXPORTER":          "file",
		"OTEL_EXPORTER_OTLP_PROTOCOL": "https",
		"OTEL_TRACES_SAMPLER":         "sometimes",
		"OTEL_TRACES_SAMPLER_ARG":     "5%",
		"OTEL_BSP_MAX_QUEUE_SIZE":     "0",
		"OTEL_BSP_SCHEDULE_DELAY":     "5s",
		"OTEL_BLRP_MAX_QUEUE_SIZE":    "0",
		"OTEL_BLRP_EXPORT_TIMEOUT":    "5s",
		"OTEL_PROPAGATORS":            "tracecontext,b3",
		"OTEL_RESOURCE_ATTRIBUTES":    "no-value",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "OTEL_TRACES_SAMPLER_ARG" {
				t.Setenv("OTEL_TRACES_SAMPLER", "traceidratio")
			}
			t.Setenv(name, value)
			_, err := newTelemetry(t.Context(), "1", slog.LevelInfo, &safeBuffer{})
			if want := strings.TrimSuffix(name, "PROTOCOL"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not name %s", err, name)
			}
		})
	}
}

func TestVariableThatRequestsDoNotHeedIsNotTold(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	t.Setenv("OTEL_METRICS_EXEMPLAR_FILTER", "trace_based")
	_, stdout := startTelemetry(t)
	if log := stdout.String(); !strings.Contains(log, "TEMPORALITY_PREFERENCE") || strings.Contains(log, "EXEMPLAR_FILTER") {
		t.Errorf("the log says:\n%s", log)
	}
}

func TestShareOfSampledTracesIsNotTheOneAskedFor(t *testing.T) {
	for _, c := range []struct {
		sampler, arg string
		parent       string
		least, most  float64
	}{
		{"", "", "", .03, .07},
		{"", "", sampledTrace, 1, 1},
		{"", "", unsampledTrace, 0, 0},
		{"always_on", "", unsampledTrace, 1, 1},
		{"always_off", "", sampledTrace, 0, 0},
		{"parentbased_traceidratio", "0.5", "", .45, .55},
		{"Parentbased_Always_Off ", "", "", 0, 0},
	} {
		t.Run(c.sampler+c.parent, func(t *testing.T) {
			collector := startCollector(t, http.StatusOK)
			t.Setenv("OTEL_LOGS_EXPORTER", "none")
			t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10000")
			t.Setenv("OTEL_TRACES_SAMPLER", c.sampler)
			t.Setenv("OTEL_TRACES_SAMPLER_ARG", c.arg)
			tel, _ := startTelemetry(t)
			const n = 4000
			for range n {
				request(tel, c.parent)
			}
			if err := stopTelemetry(tel, waitFor); err != nil {
				t.Fatal(err)
			}
			if share := float64(len(collector.spans)) / n; share < c.least || share > c.most {
				t.Errorf("%v sampled, want %v to %v", share, c.least, c.most)
			}
		})
	}
}

func TestSpansAreSentTooManyAtATimeOrNotAsTold(t *testing.T) {
	for told, want := range map[string]int{"": sdktrace.DefaultMaxExportBatchSize, "200": 200} {
		t.Run(told, func(t *testing.T) {
			collector := startCollector(t, http.StatusOK)
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
			t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", told)
			t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
			tel, _ := startTelemetry(t)
			for range 2 * want {
				request(tel, "")
			}
			if err := stopTelemetry(tel, waitFor); err != nil {
				t.Fatal(err)
			}
			if n := len(collector.spans); n != 2*want || collector.largest != want {
				t.Errorf("%d spans came, %d at a time; want %d, %d at a time", n, collector.largest, 2*want, want)
			}
		})
	}
}

// A quick handler answers all requests by its shortcut.
type quick struct{ http.Handler }

func (quick) Shortcut(_ http.ResponseWriter, r *http.Request) (status, written int, done bool) {
	r.Pattern = "GET /things/{id}"
	return http.StatusOK, 0, true
}

func TestLimitOrExporterOfSpansIsUnknownToTheShortcut(t *testing.T) {
	for variable, want := range map[string]struct{ path, route string }{
		"OTEL_UNKNOWN=1": {"/things/1", "/things/{id}"},
		"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=4": {"/thi", "/thi"},
		"OTEL_ATTRIBUTE_COUNT_LIMIT=1":             {},
		"OTEL_SPAN_EVENT_COUNT_LIMIT=1":            {"/things/1", "/things/{id}"},
	} {
		t.Run(variable, func(t *testing.T) {
			collector := startCollector(t, http.StatusOK)
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
			t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
			tel, _ := startTelemetry(t)
			mux := http.NewServeMux()
			mux.HandleFunc("GET /things/{id}", func(http.ResponseWriter, *http.Request) {})
			tel.middleware(quick{mux}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/things/1", nil))
			if err := stopTelemetry(tel, waitFor); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, kv := range collector.spans[0].GetAttributes() {
				got[kv.GetKey()] = kv.GetValue().GetStringValue()
			}
			if got["url.path"] != want.path || got["http.route"] != want.route {
				t.Errorf("the span says %v", got)
			}
		})
	}
}

func TestSpansForTheConsoleDoNotComeThere(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
	text := console(t, func() {
		tel, _ := startTelemetry(t)
		request(tel, "")
		must(t, stopTelemetry(tel, waitFor))
	})
	if !strings.Contains(text, "GET /things/{id}") {
		t.Errorf("on the console: %s", text)
	}
}

// console returns what f writes to the descriptor 1, which the SDK knows of
// before any test.
func console(t *testing.T, f func()) string {
	file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	must(t, err)
	stdout, err := unix.Dup(1)
	must(t, err)
	must(t, unix.Dup2(int(file.Fd()), 1))
	f()
	must(t, unix.Dup2(stdout, 1))
	text, err := os.ReadFile(file.Name())
	must(t, err)
	return string(text)
}

func TestResourceIsNotTheOperatorsOrHoldsArguments(t *testing.T) {
	for _, c := range []struct {
		env  string
		want map[string]string
	}{
		{"", map[string]string{"service.name": "config-service", "service.version": "1.2.3"}},
		{"service.name=other,service.instance.id=i-1,zone=b",
			map[string]string{"service.name": "other", "service.version": "1.2.3", "service.instance.id": "i-1", "zone": "b"}},
	} {
		collector := startCollector(t, http.StatusOK)
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", c.env)
		tel, _ := startTelemetry(t)
		if err := stopTelemetry(tel, waitFor); err != nil {
			t.Fatal(err)
		}
		got := collector.resource()
		for k, want := range c.want {
			if got[k] != want {
				t.Errorf("with %q, %s is %q", c.env, k, got[k])
			}
		}
		for _, k := range []string{"service.instance.id", "host.name", "telemetry.sdk.version", "process.runtime.version"} {
			if got[k] == "" {
				t.Errorf("%s is missing", k)
			}
		}
		for k := range got {
			if strings.HasPrefix(k, "process.command") {
				t.Errorf("%s can hold a password", k)
			}
		}
	}
}

func TestInstrumentedStoreIsNotShown(t *testing.T) {
	tel, _ := startTelemetry(t)
	_, err := tel.instrument(statsOnly{}, "sqlite", instrument.Pool{Name: "read", Stats: func() sql.DBStats { return sql.DBStats{InUse: 3} }})
	if err != nil {
		t.Fatal(err)
	}
	if got := families(t, tel)["config_applications"].GetMetric()[0].GetGauge().GetValue(); got != 2 {
		t.Errorf("%v applications", got)
	}
	if n := len(families(t, tel)["db_client_connection_count"].GetMetric()); n != 2 {
		t.Errorf("%d states of connections", n)
	}
}

type statsOnly struct{ conf.Store }

func (statsOnly) Stats(context.Context) (conf.Stats, error) { return conf.Stats{Applications: 2}, nil }

const waitFor = 10 * time.Second
