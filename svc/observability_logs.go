package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"

	"configservice/svc/internal/instrument"
	"configservice/svc/internal/otlp"
)

// newLoggers returns the handler of all log records: stdout and, from the same
// level on, what OTEL_LOGS_EXPORTER names.
func newLoggers(ctx context.Context, res *resource.Resource, level slog.Leveler, console slog.Handler) (*sdklog.LoggerProvider, slog.Handler, error) {
	lines := instrument.LogHandler(console)
	loggers, sent, err := newLogSender(ctx, res)
	if err != nil || sent == nil {
		return loggers, lines, err
	}
	return loggers, slog.NewMultiHandler(lines, instrument.LogLevel(sent, level)), nil
}

// newLogSender returns the handler of what is sent, nil when nothing is. By gRPC
// records are encoded as they are written. By HTTP they are not: the SDK's
// exporter has no place there that would take them.
func newLogSender(ctx context.Context, res *resource.Resource) (*sdklog.LoggerProvider, slog.Handler, error) {
	limits, err := limitsFromEnv("OTEL_BLRP_", otlp.Limits{Queue: 2048, Batch: 512, Delay: time.Second, Timeout: 30 * time.Second})
	if overOTLP("LOGS") && protocolOf("LOGS") == "grpc" {
		client, err1 := newRecordClient(ctx)
		if err := errors.Join(err, naming("LOGS", err1)); err != nil {
			return nil, nil, err
		}
		records := otlp.NewRecords(client, res, limits, otel.Handle)
		loggers, bridge := newBridge(res, records)
		if cutsRecords() {
			return loggers, bridge, nil
		}
		return loggers, records.Handler(serviceName, bridge), nil
	}
	exporter, err1 := autoexport.NewLogExporter(ctx)
	if err := errors.Join(err, naming("LOGS", err1)); err != nil || autoexport.IsNoneLogExporter(exporter) {
		return sdklog.NewLoggerProvider(), nil, err
	}
	loggers, bridge := newBridge(res, sdklog.NewBatchProcessor(exporter))
	return loggers, bridge, nil
}

// newBridge returns the handler by which a processor gets records of the SDK's.
func newBridge(res *resource.Resource, p sdklog.Processor) (*sdklog.LoggerProvider, slog.Handler) {
	// No line of ours has an attribute twice, and to look for that took as long as
	// the rest of a record.
	loggers := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithAllowKeyDuplication(), sdklog.WithProcessor(p))
	return loggers, otelslog.NewHandler(serviceName, otelslog.WithLoggerProvider(loggers))
}

// cutsRecords tells whether the SDK is to leave out some of what a record has to
// say.
func cutsRecords() bool {
	return os.Getenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT") != "" || os.Getenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT") != ""
}

// A recordClient is the SDK's exporter, which has the connection, retries and all
// the variables, but takes no records that are encoded already. So it is told to
// send an empty one, in whose place a batch goes out.
type recordClient struct{ *otlploggrpc.Exporter }

func newRecordClient(ctx context.Context, options ...otlploggrpc.Option) (recordClient, error) {
	exporter, err := otlploggrpc.New(ctx, append(options, otlploggrpc.WithDialOption(grpc.WithUnaryInterceptor(sendBatch)))...)
	return recordClient{exporter}, err
}

// batchKey is that of the batch in the context of its export.
type batchKey struct{}

func (c recordClient) UploadLogs(ctx context.Context, batch []*logspb.ResourceLogs) error {
	return c.Export(context.WithValue(ctx, batchKey{}, batch), make([]sdklog.Record, 1))
}

func (c recordClient) Stop(ctx context.Context) error { return c.Shutdown(ctx) }

func sendBatch(ctx context.Context, method string, _, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	batch, _ := ctx.Value(batchKey{}).([]*logspb.ResourceLogs)
	return invoke(ctx, method, &logscollector.ExportLogsServiceRequest{ResourceLogs: batch}, reply, conn, options...)
}
