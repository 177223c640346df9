package instrument

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A rig is an SDK whose output a test reads.
type rig struct {
	Providers
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	log    *syncBuffer
}

// newRig samples what has a sampled parent, and roots as root says.
func newRig(t testing.TB, root sdktrace.Sampler) *rig {
	t.Helper()
	histograms := NewHistograms()
	r := &rig{reader: sdkmetric.NewManualReader(sdkmetric.WithProducer(histograms)), spans: tracetest.NewSpanRecorder(), log: &syncBuffer{}}
	r.Providers = Providers{
		Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader)),
		Tracer: sdktrace.NewTracerProvider(
			sdktrace.WithSampler(sdktrace.ParentBased(root)), sdktrace.WithSpanProcessor(r.spans)),
		Propagator: propagation.TraceContext{},
		Histograms: histograms,
		Logger:     slog.New(slog.NewTextHandler(r.log, nil)),
	}
	return r
}

// A sample is one series of a metric, whatever its kind: a histogram's Value is
// its sum.
type sample struct {
	Name, Unit, Description, Kind string
	Attrs                         map[string]string
	Count                         uint64
	Value                         float64
	Bounds                        []float64
	Buckets                       []uint64
	Exemplars                     int
}

func (s sample) key() string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(s.Attrs)) {
		pairs = append(pairs, k+"="+s.Attrs[k])
	}
	return s.Name + "{" + strings.Join(pairs, ",") + "}"
}

func (r *rig) samples(t testing.TB) []sample {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	var all []sample
	for _, sm := range data.ScopeMetrics {
		for _, m := range sm.Metrics {
			all = append(all, samplesOf(t, m)...)
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return strings.Compare(a.key(), b.key()) })
	return all
}

func samplesOf(t testing.TB, m metricdata.Metrics) []sample {
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		return numbers(m, sumKind(d.IsMonotonic), d.DataPoints)
	case metricdata.Sum[float64]:
		return numbers(m, sumKind(d.IsMonotonic), d.DataPoints)
	case metricdata.Gauge[int64]:
		return numbers(m, "gauge", d.DataPoints)
	case metricdata.Gauge[float64]:
		return numbers(m, "gauge", d.DataPoints)
	case metricdata.Histogram[int64]:
		return histograms(m, d.DataPoints)
	case metricdata.Histogram[float64]:
		return histograms(m, d.DataPoints)
	}
	t.Fatalf("%s is a %T", m.Name, m.Data)
	return nil
}

func sumKind(monotonic bool) string {
	if monotonic {
		return "counter"
	}
	return "up-down counter"
}

func numbers[N int64 | float64](m metricdata.Metrics, kind string, points []metricdata.DataPoint[N]) []sample {
	var all []sample
	for _, p := range points {
		all = append(all, sample{Name: m.Name, Unit: m.Unit, Description: m.Description, Kind: kind,
			Attrs: attrMap(p.Attributes.ToSlice()), Value: float64(p.Value)})
	}
	return all
}

func histograms[N int64 | float64](m metricdata.Metrics, points []metricdata.HistogramDataPoint[N]) []sample {
	var all []sample
	for _, p := range points {
		all = append(all, sample{Name: m.Name, Unit: m.Unit, Description: m.Description, Kind: "histogram",
			Attrs: attrMap(p.Attributes.ToSlice()), Count: p.Count, Value: float64(p.Sum), Bounds: p.Bounds, Buckets: p.BucketCounts, Exemplars: len(p.Exemplars)})
	}
	return all
}

func attrMap(kvs []attribute.KeyValue) map[string]string {
	all := map[string]string{}
	for _, kv := range kvs {
		all[string(kv.Key)] = kv.Value.String()
	}
	return all
}

// values returns the samples of the metrics with that prefix as key → value,
// of histograms the count.
func (r *rig) values(t testing.TB, prefix string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, s := range r.samples(t) {
		if strings.HasPrefix(s.Name, prefix) {
			all[s.key()] = s.Value
			if s.Kind == "histogram" {
				all[s.key()] = float64(s.Count)
			}
		}
	}
	return all
}

// counts are the outcomes that happened: values without those at zero.
func (r *rig) counts(t testing.TB, prefix string) map[string]float64 {
	t.Helper()
	all := r.values(t, prefix)
	maps.DeleteFunc(all, func(_ string, v float64) bool { return v == 0 })
	return all
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func succeed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A syncBuffer can be written by one goroutine and read by another.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A manualTrace is the context of a span that is sampled or not.
func (r *rig) manualTrace(sampled bool) context.Context {
	header := fmt.Sprintf("00-%032x-%016x-%02x", 0xabc, 0xdef, map[bool]int{true: 1}[sampled])
	return r.Propagator.Extract(context.Background(), propagation.MapCarrier{"traceparent": header})
}

// quiet keeps what a server says about panics on purpose out of the output.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
