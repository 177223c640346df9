package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A fakeCollector keeps what it receives over OTLP/HTTP and answers each export
// with status.
type fakeCollector struct {
	status  int
	mu      sync.Mutex
	metrics map[string]*metricspb.Metric // the last by that name
	spans   []*tracepb.Span
	largest int // number of spans sent at a time
	records []*logspb.LogRecord
	scopes  []string // of records
	from    *resourcepb.Resource
}

// startCollector returns a collector that the environment points to.
func startCollector(t *testing.T, status int) *fakeCollector {
	t.Helper()
	c := &fakeCollector{status: status, metrics: map[string]*metricspb.Metric{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	exportTo(t, "http/protobuf", server.URL)
	return c
}

// exportTo sets all signals to export there, without patience.
func exportTo(t *testing.T, protocol, endpoint string) {
	t.Helper()
	for _, signal := range []string{"TRACES", "METRICS", "LOGS"} {
		t.Setenv("OTEL_"+signal+"_EXPORTER", "otlp")
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "5")
	t.Setenv("OTEL_BLRP_SCHEDULE_DELAY", "5")
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "5")
}

func (c *fakeCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/metrics":
		err = c.keepMetrics(body)
	case "/v1/traces":
		err = c.keepSpans(body)
	case "/v1/logs":
		err = c.keepRecords(body)
	}
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(c.status)
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (c *fakeCollector) keepMetrics(body []byte) error {
	var req metricscollector.ExportMetricsServiceRequest
	err := proto.Unmarshal(body, &req)
	for _, rm := range req.GetResourceMetrics() {
		c.from = rm.GetResource()
		for _, sm := range rm.GetScopeMetrics() {
			for _, m := range sm.GetMetrics() {
				c.metrics[m.GetName()] = m
			}
		}
	}
	return err
}

func (c *fakeCollector) keepSpans(body []byte) error {
	var req tracecollector.ExportTraceServiceRequest
	err := proto.Unmarshal(body, &req)
	before := len(c.spans)
	defer func() { c.largest = max(c.largest, len(c.spans)-before) }()
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
	return err
}

func (c *fakeCollector) keepRecords(body []byte) error {
	var req logscollector.ExportLogsServiceRequest
	err := proto.Unmarshal(body, &req)
	c.keepLogs(&req)
	return err
}

func (c *fakeCollector) keepLogs(req *logscollector.ExportLogsServiceRequest) {
	for _, rl := range req.GetResourceLogs() {
		c.from = rl.GetResource()
		for _, sl := range rl.GetScopeLogs() {
			c.records = append(c.records, sl.GetLogRecords()...)
			if name := sl.GetScope().GetName(); !slices.Contains(c.scopes, name) {
				c.scopes = append(c.scopes, name)
			}
		}
	}
}

func (c *fakeCollector) resource() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]string{}
	for _, kv := range c.from.GetAttributes() {
		all[kv.GetKey()] = kv.GetValue().GetStringValue()
	}
	return all
}

// logged returns the texts of the records received so far.
func (c *fakeCollector) logged() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all strings.Builder
	for _, r := range c.records {
		all.WriteString(r.GetBody().GetStringValue() + "\n")
	}
	return all.String()
}

// listen returns the address of a listener that gives each connection to serve.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// silence takes everything and never answers.
func silence(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// nonsense answers with what is no protocol.
func nonsense(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1<<10))
	_, _ = io.WriteString(conn, "no idea what you mean\r\n\r\n")
	_ = conn.Close()
}

// rejecting returns the address of a server to which every export is wrong.
func rejecting(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// A safeBuffer can be written by one goroutine and read by another.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
