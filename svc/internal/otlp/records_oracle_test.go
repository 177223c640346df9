package otlp

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	collogpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// A logReceiver keeps the records of the last export, by the SDK's exporter or as
// a client.
type logReceiver struct {
	collogpb.UnimplementedLogsServiceServer
	got []*logspb.ResourceLogs
}

func (r *logReceiver) Export(_ context.Context, all *collogpb.ExportLogsServiceRequest) (*collogpb.ExportLogsServiceResponse, error) {
	r.got = all.ResourceLogs
	return &collogpb.ExportLogsServiceResponse{}, nil
}

func (r *logReceiver) UploadLogs(ctx context.Context, all []*logspb.ResourceLogs) error {
	wire, err := proto.Marshal(&collogpb.ExportLogsServiceRequest{ResourceLogs: all})
	request := &collogpb.ExportLogsServiceRequest{}
	err = errors.Join(err, proto.Unmarshal(wire, request))
	_, _ = r.Export(ctx, request)
	return err
}

func (*logReceiver) Stop(context.Context) error { return nil }

// Kept are records for the SDK's exporter.
type kept struct{ records []sdklog.Record }

func (k *kept) OnEmit(_ context.Context, r *sdklog.Record) error {
	k.records = append(k.records, r.Clone())
	return nil
}

func (*kept) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*kept) Shutdown(context.Context) error                         { return nil }
func (*kept) ForceFlush(context.Context) error                       { return nil }

// A bothWays has receivers of what the SDK sends and of what we do.
type bothWays struct {
	exporter     *otlploggrpc.Exporter
	theirs, ours *logReceiver
	res          *resource.Resource
}

func newBothWays(t *testing.T) *bothWays {
	t.Helper()
	b := &bothWays{theirs: &logReceiver{}, ours: &logReceiver{},
		res: resource.NewWithAttributes("https://schema", attribute.String("service.name", "test"), attribute.Int("n", 1))}
	server := grpc.NewServer()
	collogpb.RegisterLogsServiceServer(server, b.theirs)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	succeed(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	b.exporter, err = otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(listener.Addr().String()), otlploggrpc.WithInsecure())
	succeed(t, err)
	t.Cleanup(func() { _ = b.exporter.Shutdown(context.Background()) })
	return b
}

func (b *bothWays) queue(t *testing.T) *Records {
	return NewRecords(b.ours, b.res, patient, func(err error) { t.Error(err) })
}

// compare sends what the SDK kept and what the queue has.
func (b *bothWays) compare(t *testing.T, k *kept, q *Records, began time.Time) {
	t.Helper()
	succeed(t, b.exporter.Export(t.Context(), k.records))
	succeed(t, q.Shutdown(t.Context()))
	want, got := b.theirs.got[0], b.ours.got[0]
	if !began.IsZero() { // each way observes by itself
		dropObserved(t, want, began)
		dropObserved(t, got, began)
	}
	if len(b.ours.got) != 1 || !proto.Equal(want, got) {
		t.Errorf("- the SDK's exporter + ours:\n%s", cmp.Diff(want, got, protocmp.Transform()))
	}
}

func dropObserved(t *testing.T, all *logspb.ResourceLogs, began time.Time) {
	t.Helper()
	for _, scope := range all.ScopeLogs {
		for _, r := range scope.LogRecords {
			if at := time.Unix(0, int64(r.ObservedTimeUnixNano)); at.Before(began) || at.After(time.Now()) {
				t.Errorf("observed at %v, and begun at %v", at, began)
			}
			r.ObservedTimeUnixNano = 0
		}
	}
}

func TestEncodedRecordDiffersFromTheSDKs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newBothWays(t)
	for range 300 {
		g, k, q := generator{random}, &kept{}, b.queue(t)
		options := []sdklog.LoggerProviderOption{sdklog.WithResource(b.res), sdklog.WithProcessor(k), sdklog.WithProcessor(q)}
		if g.one(2) {
			options = append(options, sdklog.WithAttributeCountLimit(3), sdklog.WithAttributeValueLengthLimit(5))
		}
		loggers := sdklog.NewLoggerProvider(options...)
		scopes := []log.Logger{loggers.Logger("a", log.WithInstrumentationVersion(g.text()), log.WithSchemaURL(g.text()),
			log.WithInstrumentationAttributes(g.attributes()...)), loggers.Logger("b"), loggers.Logger("")}
		for i := range 1 + g.IntN(5) {
			scopes[i%len(scopes)].Emit(g.within(t.Context()), g.record())
		}
		if b.compare(t, k, q, time.Time{}); t.Failed() {
			return
		}
	}
}

// within returns a context with or without a trace.
func (g generator) within(ctx context.Context) context.Context {
	if g.one(4) {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, g.context(g.one(2)))
}

func (g generator) record() (r log.Record) {
	r.SetTimestamp(g.moment())
	r.SetObservedTimestamp(g.moment())
	r.SetSeverity(log.Severity(g.IntN(30) - 2))
	r.SetSeverityText(g.text())
	r.SetEventName(g.text())
	r.SetBody(g.value(3))
	r.AddAttributes(g.attributes()...)
	return r
}

func TestRecordWithoutTheSDKDiffersFromTheSDKs(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	b := newBothWays(t)
	for range 300 {
		g, k, q, began := generator{random}, &kept{}, b.queue(t), time.Now()
		bridge := func(p sdklog.Processor) slog.Handler {
			loggers := sdklog.NewLoggerProvider(sdklog.WithResource(b.res), sdklog.WithAllowKeyDuplication(), sdklog.WithProcessor(p))
			return otelslog.NewHandler("test", otelslog.WithLoggerProvider(loggers))
		}
		theirs, ours := bridge(k), q.Handler("test", bridge(q))
		for range 1 + g.IntN(5) {
			ctx, r := g.within(t.Context()), g.line()
			theirs, ours := g.below(theirs, ours)
			succeed(t, errors.Join(theirs.Handle(ctx, r.Clone()), ours.Handle(ctx, r.Clone())))
		}
		if b.compare(t, k, q, began); t.Failed() {
			return
		}
	}
}

// below returns handlers that may have attributes or groups of their own.
func (g generator) below(theirs, ours slog.Handler) (_, _ slog.Handler) {
	switch g.IntN(6) {
	case 0:
		more := []slog.Attr{g.attr(), g.attr()}
		return theirs.WithAttrs(more), ours.WithAttrs(more)
	case 1:
		return theirs.WithGroup("g"), ours.WithGroup("g")
	}
	return theirs, ours
}

func (g generator) line() slog.Record {
	r := slog.NewRecord(g.moment(), slog.Level(g.IntN(40)-20), g.text(), 0)
	n, attr := g.IntN(9), g.plainAttr
	if g.one(3) {
		attr = g.attr
	}
	if g.one(20) {
		n, attr = 127+g.IntN(4), func() slog.Attr { return slog.Int("n", g.IntN(9)) }
	}
	for range n {
		r.AddAttrs(attr())
	}
	return r
}

func (g generator) plainAttr() slog.Attr {
	key := g.text()
	return []slog.Attr{slog.String(key, g.text()), slog.Int(key, g.IntN(3)-1), slog.Int64(key, g.Int64()), slog.Bool(key, g.one(2))}[g.IntN(4)]
}

func (g generator) attr() slog.Attr {
	odd := []any{nil, errors.New("wrong"), []int{1, 2}, map[string]any{"a": 1.5}, struct{ A int }{1}, time.Second, time.Unix(1, 2),
		1.5, uint64(1) << 63, []byte("b"), &struct{}{}, later{}, slog.GroupValue(slog.Int("a", 1), slog.Any("e", errors.New("inner")))}
	return slog.Any(strings.TrimSuffix(g.text(), "a"), odd[g.IntN(len(odd))])
}

// A later value has to be asked for.
type later struct{}

func (later) LogValue() slog.Value { return slog.StringValue("late") }
