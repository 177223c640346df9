package otlp

import (
	"context"

	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
)

// A RecordClient sends log records to a receiver. It retries by itself, and no
// longer needs what it was given once it has returned.
type RecordClient interface {
	UploadLogs(context.Context, []*logspb.ResourceLogs) error
	Stop(context.Context) error
}

// Records is a queue of log records, an sdklog.Processor. Its methods may be
// called concurrently.
type Records struct{ *queue }

// NewRecords returns a queue of a process that is described by res. It works until
// Shutdown, which also stops client. That sending failed or records were dropped is
// told to trouble.
func NewRecords(client RecordClient, res *resource.Resource, l Limits, trouble func(error)) *Records {
	upload := func(ctx context.Context, resource []byte, scopes [][]byte) error {
		all := &logspb.ResourceLogs{}
		all.ProtoReflect().SetUnknown(resource)
		for _, fields := range scopes {
			of := &logspb.ScopeLogs{}
			of.ProtoReflect().SetUnknown(fields)
			all.ScopeLogs = append(all.ScopeLogs, of)
		}
		return client.UploadLogs(ctx, []*logspb.ResourceLogs{all})
	}
	return &Records{newQueue(signal{"logs", "log records", "OTEL_BLRP_EXPORT_TIMEOUT", upload, client.Stop}, res, l, trouble)}
}

// Enabled makes Records an sdklog.Processor: it takes every record.
func (*Records) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit queues a record of the SDK's, which is not kept. It never waits for a
// receiver: when the queue is full or stopped, the record is dropped.
func (q *Records) OnEmit(_ context.Context, r *sdklog.Record) error {
	q.scope(r.InstrumentationScope()).put(func(e *encoder) { e.record(r) })
	return nil
}
