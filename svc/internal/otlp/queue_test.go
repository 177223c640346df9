package otlp

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

var requestSpan = &Span{
	Context: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled}),
	Name:    "GET /things/{id}", Kind: trace.SpanKindServer, Start: time.Unix(1, 0), End: time.Unix(2, 0),
	Attributes: []attribute.KeyValue{attribute.String("http.route", "/things/{id}"), attribute.Int("http.response.status_code", 200)},
}

func newTestQueue(l Limits) (*receiver, *Spans, *Scope) {
	r := newReceiver()
	q := NewSpans(r, resource.NewSchemaless(attribute.String("service.name", "test")), l, r.trouble)
	return r, q, q.Scope("test", "")
}

func succeed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTextThatIsNoneLosesTheBatch(t *testing.T) {
	r, q, scope := newTestQueue(patient)
	scope.Add(requestSpan)
	scope.Add(&Span{Name: "caf\xe9", Attributes: []attribute.KeyValue{attribute.String("url.path", "/\xff\xfe")}})
	succeed(t, q.Shutdown(t.Context()))
	if r.received != 2 {
		t.Fatalf("%d of 2 spans arrived", r.received)
	}
	odd := r.exports[0][0].ScopeSpans[0].Spans[1]
	if path := odd.Attributes[0].Value.GetStringValue(); odd.Name != "caf�" || path != "/�" {
		t.Errorf("what arrived is %q, %q", odd.Name, path)
	}
}

func TestUnsampledSpanIsSent(t *testing.T) {
	r, q, _ := newTestQueue(patient)
	q.OnEnd(tracetest.SpanStub{SpanContext: requestSpan.Context.WithTraceFlags(0)}.Snapshot())
	succeed(t, q.Shutdown(t.Context()))
	if r.received != 0 {
		t.Error("it arrived")
	}
}

func TestBatchIsSentLateOrTooEarlyOrTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, q, scope := newTestQueue(Limits{Queue: 100, Batch: 3, Delay: time.Minute, Timeout: time.Second})
		began := time.Now()
		for range 7 {
			scope.Add(requestSpan)
		}
		if n, m := <-r.arrived, <-r.arrived; n != 3 || m != 3 || time.Since(began) > 0 {
			t.Errorf("batches of %d and %d came after %v", n, m, time.Since(began))
		}
		if n := <-r.arrived; n != 1 || time.Since(began) != time.Minute {
			t.Errorf("the rest of %d came after %v", n, time.Since(began))
		}
		succeed(t, q.Shutdown(t.Context()))
	})
}

func TestReceiverThatHangsSlowsCallersOrHidesWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, q, scope := newTestQueue(Limits{Queue: 10, Batch: 4, Delay: time.Minute, Timeout: 5 * time.Second})
		r.answer = func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
		began := time.Now()
		for range 4 {
			scope.Add(requestSpan)
		}
		synctest.Wait() // they are being sent, and do not wait any more
		for range 17 {
			scope.Add(requestSpan)
		}
		if time.Since(began) > 0 {
			t.Errorf("adding took %v", time.Since(began))
		}
		succeed(t, q.ForceFlush(t.Context())) // of what is sent already, others hear
		if told := r.told(); !strings.Contains(told, "OTEL_BSP_EXPORT_TIMEOUT") || !strings.Contains(told, "7 spans dropped") {
			t.Errorf("what is told is %s", told)
		}
		if took := time.Since(began); took != 4*5*time.Second { // 4, 4, 4 and 2 spans
			t.Errorf("flushing took %v", took)
		}
		r.answer = nil
		succeed(t, q.Shutdown(t.Context()))
	})
}

func TestShutdownLosesSpansOrStopsTwice(t *testing.T) {
	r, q, scope := newTestQueue(patient)
	scope.Add(requestSpan)
	succeed(t, q.Shutdown(t.Context()))
	scope.Add(requestSpan)
	succeed(t, q.Shutdown(t.Context()))
	if r.received != 1 || r.stopped != 1 || q.waiting > 0 {
		t.Errorf("%d spans arrived, want 1; %d wait for ever; stopped %d times", r.received, q.waiting, r.stopped)
	}
}

func TestShutdownOrFlushOutlastsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, q, scope := newTestQueue(Limits{Queue: 10, Batch: 1, Delay: time.Minute, Timeout: time.Hour})
		r.answer = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		for range 3 {
			scope.Add(requestSpan)
		}
		for _, stop := range []func(context.Context) error{q.ForceFlush, q.Shutdown} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
			cancel()
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %v", took)
		}
	}) // which also wants that nothing is left running
}

func TestSpansAreLostOrMixedUpUnderLoad(t *testing.T) {
	const writers, each = 8, 2000
	r, q, _ := newTestQueue(Limits{Queue: writers * each, Batch: 50, Delay: time.Millisecond, Timeout: time.Minute})
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := range each {
				q.Scope([]string{"a", "b"}[i%2], "").Add(requestSpan)
				if i%500 == 0 {
					if err := q.ForceFlush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	succeed(t, q.Shutdown(t.Context()))
	byScope := map[string]int{}
	for _, export := range r.exports {
		for _, ss := range export[0].ScopeSpans {
			byScope[ss.Scope.Name] += len(ss.Spans)
		}
	}
	if byScope["a"] != writers*each/2 || byScope["b"] != writers*each/2 {
		t.Errorf("%v arrived, want %d of each", byScope, writers*each/2)
	}
}

func TestScopeWithoutSpansIsSent(t *testing.T) {
	r, q, a := newTestQueue(patient)
	a.Add(requestSpan)
	q.Scope("b", "").Add(requestSpan)
	succeed(t, q.ForceFlush(t.Context()))
	a.Add(requestSpan)
	succeed(t, q.Shutdown(t.Context()))
	if n, m := len(r.exports[0][0].ScopeSpans), len(r.exports[1][0].ScopeSpans); n != 2 || m != 1 {
		t.Errorf("%d and %d scopes are sent, want 2 and 1", n, m)
	}
}

// A batch costs some allocations, and a span none: the bytes of one batch are
// used again for another.
func TestSpansAllocate(t *testing.T) {
	q := NewSpans(deaf{}, resource.Empty(), patient, nil)
	scope := q.Scope("test", "")
	n := testing.AllocsPerRun(100, func() {
		for range 5000 {
			scope.Add(requestSpan)
		}
		succeed(t, q.ForceFlush(t.Context()))
	})
	if n > 30 { // 10, or 20 with the race detector
		t.Errorf("%v times", n)
	}
	succeed(t, q.Shutdown(t.Context()))
}

// A deaf client costs nothing.
type deaf struct{}

func (deaf) UploadTraces(context.Context, []*tracepb.ResourceSpans) error { return nil }
func (deaf) Stop(context.Context) error                                   { return nil }

func BenchmarkAdd(b *testing.B) {
	_, q, scope := newTestQueue(Limits{Queue: 1 << 30, Batch: 128, Delay: time.Hour, Timeout: time.Minute})
	b.ReportAllocs()
	for b.Loop() {
		scope.Add(requestSpan)
		q.mu.Lock()
		if len(q.full) > 0 {
			q.full[0].clear()
			q.open, q.full = q.full[0], nil
		}
		q.mu.Unlock()
	}
}
