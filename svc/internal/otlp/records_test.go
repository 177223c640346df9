package otlp

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
)

var line = func() slog.Record {
	r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "change", 0)
	r.AddAttrs(slog.String("operation", "update"), slog.String("application_id", "01JDRVQ2Z5X6W7Y8Z9A0B1C2D3"), slog.Int64("version", 17))
	return r
}()

// A long way is a handler that nothing should take.
type longWay struct {
	slog.Handler
	t testing.TB
}

func (l longWay) Handle(_ context.Context, r slog.Record) error {
	l.t.Errorf("%q took it", r.Message)
	return nil
}

func TestPlainRecordGoesByTheSDKOrLosesTheBatch(t *testing.T) {
	r := &logReceiver{}
	q := NewRecords(r, resource.NewSchemaless(attribute.String("service.name", "test")), patient, nil)
	h := q.Handler("test", longWay{nil, t})
	odd := slog.NewRecord(time.Now(), slog.LevelWarn, "caf\xe9", 0)
	odd.AddAttrs(slog.String("path", "/\xff\xfe"), slog.Int("n", 1), slog.Bool("b", true))
	succeed(t, h.Handle(t.Context(), odd))
	succeed(t, h.Handle(t.Context(), line))
	succeed(t, q.Shutdown(t.Context()))
	got := r.got[0].ScopeLogs[0].LogRecords
	if len(got) != 2 || got[0].Body.GetStringValue() != "caf�" || got[0].Attributes[0].Value.GetStringValue() != "/�" {
		t.Errorf("what arrived is %v", got)
	}
}

func TestLossOfRecordsIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		q := NewRecords(hanging{}, resource.Empty(), Limits{Queue: 3, Batch: 3, Delay: time.Minute, Timeout: 5 * time.Second},
			func(err error) { told = append(told, err) })
		h := q.Handler("test", longWay{nil, t})
		for range 3 {
			succeed(t, h.Handle(t.Context(), line))
		}
		synctest.Wait() // they are being sent
		for range 7 {
			succeed(t, h.Handle(t.Context(), line))
		}
		succeed(t, q.Shutdown(t.Context()))
		text := errors.Join(told...).Error()
		if !strings.Contains(text, "4 log records dropped") || !strings.Contains(text, "logs export: OTEL_BLRP_EXPORT_TIMEOUT") {
			t.Errorf("what is told is %s", text)
		}
	})
}

// A hanging client never gets an answer.
type hanging struct{}

func (hanging) UploadLogs(ctx context.Context, _ []*logspb.ResourceLogs) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (hanging) Stop(context.Context) error { return nil }

func TestRecordsAllocate(t *testing.T) {
	q := NewRecords(deaf{}, resource.Empty(), patient, nil)
	h := q.Handler("test", longWay{nil, t})
	n := testing.AllocsPerRun(100, func() {
		for range 5000 {
			succeed(t, h.Handle(t.Context(), line))
		}
		succeed(t, q.ForceFlush(t.Context()))
	})
	if n > 30 { // some 10, or 20 with the race detector
		t.Errorf("%v times", n)
	}
	succeed(t, q.Shutdown(t.Context()))
}

func (deaf) UploadLogs(context.Context, []*logspb.ResourceLogs) error { return nil }

func BenchmarkHandle(b *testing.B) {
	q := NewRecords(deaf{}, resource.Empty(), Limits{Queue: 1 << 30, Batch: 512, Delay: time.Hour, Timeout: time.Minute}, nil)
	h := q.Handler("test", longWay{nil, b})
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Handle(b.Context(), line)
	}
	succeed(b, q.Shutdown(context.Background()))
}
