package otlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

// A receiver is a client that takes what is sent over the wire apart.
type receiver struct {
	mu       sync.Mutex
	exports  [][]*tracepb.ResourceSpans
	arrived  chan int      // spans of each export
	busy     chan struct{} // holds one token during an export
	answer   func(context.Context) error
	stopped  int
	received int
	troubles []error
}

func newReceiver() *receiver {
	return &receiver{arrived: make(chan int, 1000), busy: make(chan struct{}, 1)}
}

func (r *receiver) trouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.troubles = append(r.troubles, err)
}

func (r *receiver) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(errors.Join(r.troubles...))
}

func (*receiver) Start(context.Context) error { return nil }

// Stop waits, as the SDK's exporter of logs does, whatever the deadline.
func (r *receiver) Stop(context.Context) error {
	r.busy <- struct{}{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped++
	return nil
}

func (r *receiver) UploadTraces(ctx context.Context, all []*tracepb.ResourceSpans) error {
	r.busy <- struct{}{}
	defer func() { <-r.busy }()
	wire, err := proto.Marshal(&coltracepb.ExportTraceServiceRequest{ResourceSpans: all})
	if err != nil {
		return err
	}
	var request coltracepb.ExportTraceServiceRequest
	if err := proto.Unmarshal(wire, &request); err != nil {
		return err
	}
	n := 0
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			n += len(ss.Spans)
		}
	}
	r.arrived <- n
	if r.answer != nil {
		if err := r.answer(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exports = append(r.exports, request.ResourceSpans)
	r.received += n
	return nil
}

var patient = Limits{Queue: 10_000, Batch: 10_000, Delay: time.Hour, Timeout: time.Minute}

// compare sends the same spans by the SDK's exporter and by a queue.
func compare(t *testing.T, stubs tracetest.SpanStubs) {
	t.Helper()
	theirs, ours := newReceiver(), newReceiver()
	if err := otlptrace.NewUnstarted(theirs).ExportSpans(t.Context(), stubs.Snapshots()); err != nil {
		t.Fatal(err)
	}
	res := stubs[0].Resource
	if res == nil {
		res = resource.Empty()
	}
	q := NewSpans(ours, res, patient, nil)
	for _, s := range stubs.Snapshots() {
		q.OnEnd(s)
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, got := theirs.exports[0][0], ours.exports[0][0]
	if len(ours.exports[0]) != 1 || !proto.Equal(want, got) {
		t.Errorf("- the SDK's exporter + ours:\n%s", cmp.Diff(want, got, protocmp.Transform()))
	}
}

func TestEncodedSpanDiffersFromTheSDKs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		g := generator{random}
		res := resource.NewWithAttributes(g.text(), g.attributes()...)
		scopes := []instrumentation.Scope{
			{Name: "a", Version: g.text(), SchemaURL: g.text(), Attributes: attribute.NewSet(g.attributes()...)}, {Name: "b"}, {},
		}
		var stubs tracetest.SpanStubs
		for i := range 1 + random.IntN(5) {
			stubs = append(stubs, g.span(res, scopes[i%len(scopes)]))
		}
		compare(t, stubs)
		if t.Failed() {
			return
		}
	}
}

// A generator makes spans of every kind, many of them odd.
type generator struct{ *rand.Rand }

func (g generator) one(n int) bool { return g.IntN(n) == 0 }

func (g generator) text() string {
	return strings.Repeat([]string{"", "a", "/things/{id}", "ü€😀", "\x00"}[g.IntN(5)], []int{1, 3, 60}[g.IntN(3)])
}

func (g generator) count() int { return []int{0, 0, 1, 200, 1 << 40, -1}[g.IntN(6)] }

func (g generator) moment() time.Time {
	return []time.Time{{}, time.Unix(0, 1), time.Unix(-1, 0), time.Now()}[g.IntN(4)]
}

func (g generator) context(sampled bool) trace.SpanContext {
	c := trace.SpanContextConfig{TraceFlags: trace.TraceFlags(g.IntN(256)).WithSampled(sampled), Remote: g.one(2)}
	for i := range c.TraceID {
		c.TraceID[i] = byte(g.IntN(256))
	}
	if !g.one(4) {
		for i := range c.SpanID {
			c.SpanID[i] = byte(g.IntN(256))
		}
	}
	if g.one(2) {
		c.TraceState, _ = trace.ParseTraceState("a=b,c=d")
	}
	return trace.NewSpanContext(c)
}

func (g generator) attributes() []attribute.KeyValue {
	all := []attribute.KeyValue(nil)
	for i := range g.IntN(12) {
		all = append(all, attribute.KeyValue{Key: attribute.Key(fmt.Sprint(g.text(), i)), Value: g.value(3)})
	}
	return all
}

func (g generator) value(depth int) attribute.Value {
	n := []int64{0, 1, -1, 300, math.MaxInt64, math.MinInt64}[g.IntN(6)]
	f := []float64{0, math.Copysign(0, -1), 1.5, math.Inf(1)}[g.IntN(4)]
	values := []attribute.Value{
		attribute.StringValue(g.text()), attribute.Int64Value(n), attribute.BoolValue(n > 0), attribute.Float64Value(f),
		attribute.StringSliceValue([]string{g.text(), g.text()}), attribute.Int64SliceValue([]int64{n, 1}),
		attribute.BoolSliceValue([]bool{true, false}), attribute.Float64SliceValue([]float64{f}),
		attribute.StringSliceValue(nil), attribute.ByteSliceValue([]byte(g.text())), {},
	}
	if depth > 0 {
		inner := g.value(depth - 1)
		values = append(values, attribute.SliceValue(inner, attribute.Int64Value(n)),
			attribute.MapValue(attribute.KeyValue{Key: "k", Value: inner}, attribute.Int64("n", n)))
	}
	return values[g.IntN(len(values))]
}

func (g generator) span(res *resource.Resource, scope instrumentation.Scope) tracetest.SpanStub {
	s := tracetest.SpanStub{
		Name: g.text(), SpanContext: g.context(true), SpanKind: trace.SpanKind(g.IntN(7)), Resource: res, InstrumentationScope: scope,
		StartTime: g.moment(), EndTime: g.moment(), Attributes: g.attributes(),
		Status:            sdktrace.Status{Code: codes.Code(g.IntN(3)), Description: g.text()},
		DroppedAttributes: g.count(), DroppedEvents: g.count(), DroppedLinks: g.count(),
	}
	if g.one(2) {
		s.Parent = g.context(g.one(2))
	}
	for range g.IntN(3) {
		s.Events = append(s.Events, sdktrace.Event{Name: g.text(), Time: g.moment(), Attributes: g.attributes(), DroppedAttributeCount: g.count()})
		s.Links = append(s.Links, sdktrace.Link{SpanContext: g.context(g.one(2)), Attributes: g.attributes(), DroppedAttributeCount: g.count()})
	}
	return s
}
