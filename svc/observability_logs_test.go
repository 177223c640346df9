package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/trace"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// A grpcCollector keeps the log records that come by gRPC, unless refuse does not
// want them.
type grpcCollector struct {
	logscollector.UnimplementedLogsServiceServer
	fakeCollector
	refuse func(context.Context) error
}

func (c *grpcCollector) Export(ctx context.Context, all *logscollector.ExportLogsServiceRequest) (*logscollector.ExportLogsServiceResponse, error) {
	if c.refuse != nil {
		if err := c.refuse(ctx); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepLogs(all)
	return &logscollector.ExportLogsServiceResponse{}, nil
}

// startGRPC starts server with logs, and returns its address.
func startGRPC(t testing.TB, logs logscollector.LogsServiceServer, options ...grpc.ServerOption) (address string) {
	t.Helper()
	server := grpc.NewServer(options...)
	logscollector.RegisterLogsServiceServer(server, logs)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func exportLogsOnly(t testing.TB) {
	t.Setenv("OTEL_TRACES_EXPORTER", "none")
	t.Setenv("OTEL_METRICS_EXPORTER", "none")
}

// By HTTP all of it is the SDK's.
func TestLineIsAnotherByGRPCThanByHTTP(t *testing.T) {
	for _, variable := range []string{
		"OTEL_UNKNOWN=1", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT=1", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT=2", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
	} {
		t.Run(variable, func(t *testing.T) {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=i-1")
			byHTTP, byGRPC := startCollector(t, http.StatusOK), &grpcCollector{}
			writeLines(t)
			exportTo(t, "grpc", "http://"+startGRPC(t, byGRPC))
			writeLines(t)
			if diff := cmp.Diff(byHTTP.records, byGRPC.records, protocmp.Transform(),
				protocmp.IgnoreFields(&logspb.LogRecord{}, "time_unix_nano", "observed_time_unix_nano")); diff != "" || len(byGRPC.records) != 4 {
				t.Errorf("by HTTP (-) and by gRPC (+): %s", diff)
			}
			if diff := cmp.Diff(byHTTP.resource(), byGRPC.resource()) + cmp.Diff(byHTTP.scopes, byGRPC.scopes); diff != "" {
				t.Errorf("where they are from: %s", diff)
			}
		})
	}
}

// writeLines logs a line of each sort with telemetry as the environment has it.
func writeLines(t *testing.T) {
	t.Helper()
	exportLogsOnly(t)
	tel, _ := startTelemetry(t)
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled}))
	tel.logger.InfoContext(ctx, "change", "operation", "update", "revision", 17, "whole", true)
	tel.logger.Error("failed", "error", errors.New("wrong"), "status", 500)
	tel.logger.With("a", "one").WithGroup("g").Warn("within", "b", "two")
	tel.logger.Info("took", "duration", time.Second, "names", []string{"x"})
	tel.logger.Debug("too much")
	must(t, stopTelemetry(tel, waitFor))
}

func TestRetriedExportIsEmptyOrLosesItsHeaders(t *testing.T) {
	attempts, collector := 0, &grpcCollector{}
	collector.refuse = func(ctx context.Context) error {
		if attempts++; attempts == 1 {
			return status.Error(codes.Unavailable, "later")
		}
		if all, _ := metadata.FromIncomingContext(ctx); len(all.Get("who")) != 1 {
			return status.Error(codes.Unauthenticated, "who is it")
		}
		return nil
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+startGRPC(t, collector))
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "who=me")
	client, err := newRecordClient(t.Context(), otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: true, InitialInterval: 1, MaxInterval: 1, MaxElapsedTime: time.Minute}))
	must(t, err)
	record := &logspb.LogRecord{SeverityText: "INFO"}
	must(t, client.UploadLogs(t.Context(), []*logspb.ResourceLogs{{ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{record}}}}}))
	must(t, client.Stop(t.Context()))
	if len(collector.records) != 1 || !proto.Equal(collector.records[0], record) || attempts != 2 {
		t.Errorf("%v came by %d attempts", collector.records, attempts)
	}
}

func TestRecordsAreSentNotAsToldOrTheirRefusalIsNotTold(t *testing.T) {
	exports, collector := 0, &grpcCollector{}
	collector.refuse = func(context.Context) error {
		if exports++; exports == 2 {
			return status.Error(codes.InvalidArgument, "not these")
		}
		return nil
	}
	exportTo(t, "grpc", "http://"+startGRPC(t, collector))
	exportLogsOnly(t)
	t.Setenv("OTEL_BLRP_SCHEDULE_DELAY", "60000")
	t.Setenv("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2")
	tel, stdout := startTelemetry(t)
	for range 6 {
		tel.logger.Info("change")
	}
	must(t, stopTelemetry(tel, waitFor))
	if n := len(collector.records); exports != 3 || n != 4 {
		t.Errorf("%d records came in %d exports, one of them refused; want 4 in 3", n, exports)
	}
	if text := stdout.String(); !strings.Contains(text, "logs export: ") || !strings.Contains(text, "not these") {
		t.Errorf("what is told is %s", text)
	}
}

// A weighing codec only takes the sum of the sizes of requests.
type weighing struct{ bytes *int }

func (weighing) Name() string                      { return "proto" }
func (weighing) Marshal(v any) ([]byte, error)     { return proto.Marshal(v.(proto.Message)) }
func (w weighing) Unmarshal(b []byte, _ any) error { *w.bytes += len(b); return nil }

// The line of a write, from the handler that logs it to stdout and to what a
// receiver gets.
func BenchmarkChangeIsLogged(b *testing.B) {
	sent := 0
	exportLogsOnly(b)
	b.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+startGRPC(b, &grpcCollector{}, grpc.ForceServerCodec(weighing{&sent})))
	b.Setenv("OTEL_BLRP_MAX_QUEUE_SIZE", "65536")
	tel, err := newTelemetry(b.Context(), "1.2.3", slog.LevelInfo, io.Discard)
	must(b, err)
	ctx := trace.ContextWithSpanContext(b.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
	b.ReportAllocs()
	for b.Loop() {
		tel.logger.LogAttrs(ctx, slog.LevelInfo, "change", slog.String("operation", "update"),
			slog.String("application_id", "01JDRVQ2Z5X6W7Y8Z9A0B1C2D3"), slog.String("configuration_id", "01JDRVQ2Z5X6W7Y8Z9A0B1C2D4"),
			slog.Int64("version", 17), slog.Int64("revision", 123456), slog.String("changed_by", "hot"), slog.String("changed_from", "127.0.0.1"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(b, tel.shutdown(ctx))
	b.ReportMetric(float64(sent)/float64(b.N), "wireB/op")
}
