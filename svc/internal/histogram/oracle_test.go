package histogram

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

const (
	scope     = "some.scope"
	schemaURL = "https://example.com/schema"
)

var bounds = []float64{0, .0001, .00016, .00025, .063, .1, 1, 10} // of both kinds of histograms

// A stage is one way to count: the SDK's instruments, or a Set.
type stage struct {
	observe  func(ctx context.Context, a attribute.Set, v int64)
	registry *prometheus.Registry // what is scraped
	reader   *sdkmetric.ManualReader
}

// newStage makes the two readers that the service has, both with producer.
func newStage(t *testing.T, producer sdkmetric.Producer) (*stage, *sdkmetric.MeterProvider) {
	s := &stage{registry: prometheus.NewRegistry(), reader: sdkmetric.NewManualReader(sdkmetric.WithProducer(producer))}
	scraped, err := promexporter.New(promexporter.WithRegisterer(s.registry), promexporter.WithProducer(producer))
	if err != nil {
		t.Fatal(err)
	}
	return s, sdkmetric.NewMeterProvider(sdkmetric.WithReader(scraped), sdkmetric.WithReader(s.reader))
}

func newTheirs(t *testing.T) *stage {
	s, provider := newStage(t, NewSet("", ""))
	m := provider.Meter(scope, metric.WithSchemaURL(schemaURL))
	buckets := metric.WithExplicitBucketBoundaries(bounds...)
	durations, err1 := m.Float64Histogram("it.duration", metric.WithUnit("s"), metric.WithDescription("How long."), buckets)
	sizes, err2 := m.Int64Histogram("it.size", metric.WithUnit("By"), metric.WithDescription("How large."), buckets)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	s.observe = func(ctx context.Context, a attribute.Set, v int64) {
		durations.Record(ctx, float64(v)/float64(time.Second), metric.WithAttributeSet(a))
		sizes.Record(ctx, v, metric.WithAttributeSet(a))
	}
	return s
}

func newOurs(t *testing.T) *stage {
	set := NewSet(scope, schemaURL)
	durations, sizes := set.Durations("it.duration", "How long.", bounds), set.Sizes("it.size", "How large.", bounds)
	s, _ := newStage(t, set)
	s.observe = func(ctx context.Context, a attribute.Set, v int64) {
		durations.Series(a).RecordIn(trace.SpanContextFromContext(ctx), v)
		sizes.Series(a).RecordIn(trace.SpanContextFromContext(ctx), v)
	}
	return s
}

func (s *stage) scrape(t *testing.T) string {
	r, w := httptest.NewRequest("GET", "/metrics", nil), httptest.NewRecorder()
	r.Header.Set("Accept", "application/openmetrics-text") // with exemplars
	promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return string(body)
}

func (s *stage) collect(t *testing.T) []metricdata.ScopeMetrics {
	var data metricdata.ResourceMetrics
	if err := s.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	return data.ScopeMetrics
}

// sampled is a sampled span.
func sampled(n byte) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{n}, SpanID: trace.SpanID{n}, TraceFlags: trace.FlagsSampled,
	})
}

// The same observations, to the SDK's histograms and to ours: what is scraped
// and what is sent must be equal, but for the moments and the order.
func TestWhatIsScrapedOrSentDiffersFromTheSDKs(t *testing.T) {
	theirs, ours := newTheirs(t), newOurs(t)
	random := rand.New(rand.NewPCG(1, 2))
	values := []int64{0, 1, 99_999, 100_000, 100_001, 160_000, 160_001, 62_999_999, 63_000_000, 63_000_001, 1e9, 1e10, 1e10 + 1, 1e12}
	for range 1000 {
		values = append(values, int64(random.ExpFloat64()*1e8))
	}
	for i, v := range values {
		a := attribute.NewSet(attribute.String("http.route", []string{"/a", "/b", "/c"}[i%3]), attribute.Int("http.response.status_code", 200+i%2))
		for _, s := range []*stage{theirs, ours} {
			s.observe(t.Context(), a, v)
		}
	}
	// One each in a bucket of its own, since either may choose among several.
	for i, v := range []int64{0, 5e9} {
		for _, s := range []*stage{theirs, ours} {
			s.observe(trace.ContextWithSpanContext(t.Context(), sampled(byte(1+i))), attribute.NewSet(attribute.String("http.route", "/traced")), v)
		}
	}
	if diff := cmp.Diff(theirs.collect(t), ours.collect(t), unordered()...); diff != "" {
		t.Errorf("sent, - theirs + ours:\n%s", diff)
	}
	if diff := cmp.Diff(lines(theirs.scrape(t)), lines(ours.scrape(t))); diff != "" {
		t.Errorf("scraped, - theirs + ours:\n%s", diff)
	}
}

// unordered compares what is sent but for moments and order. Of sums of
// seconds, ours are the exact ones.
func unordered() cmp.Options {
	near := cmp.Comparer(func(a, b float64) bool { return a == b || max(a, b)-min(a, b) < 1e-12*max(a, b) })
	return cmp.Options{
		near,
		cmp.Comparer(func(a, b time.Time) bool { return a.IsZero() == b.IsZero() }),
		cmp.Comparer(func(a, b attribute.Set) bool { return a.Equals(&b) }),
		cmp.AllowUnexported(metricdata.Extrema[int64]{}, metricdata.Extrema[float64]{}),
		sorted[int64](), sorted[float64](),
	}
}

func sorted[N int64 | float64]() cmp.Option {
	type points = []metricdata.HistogramDataPoint[N]
	return cmp.Transformer("sorted", func(p points) map[string]metricdata.HistogramDataPoint[N] {
		byAttributes := map[string]metricdata.HistogramDataPoint[N]{}
		for _, point := range p {
			if len(point.Exemplars) == 0 {
				point.Exemplars = nil
			}
			byAttributes[point.Attributes.Encoded(attribute.DefaultEncoder())] = point
		}
		return byAttributes
	})
}

// lines are those of a scrape without moments and sums of seconds, in an order
// of their own.
func lines(scraped string) []string {
	var all []string
	for line := range strings.Lines(scraped) {
		sample, exemplar, _ := strings.Cut(strings.TrimSpace(line), " # {")
		if strings.Contains(sample, "_created") || strings.Contains(sample, "_seconds_sum") {
			sample, _, _ = strings.Cut(sample, "} ")
		}
		labels, rest, _ := strings.Cut(exemplar, "} ")
		pairs := strings.Split(labels, ",")
		slices.Sort(pairs)
		value, _, _ := strings.Cut(rest, " ")
		all = append(all, strings.Join(append(pairs, value, sample), " "))
	}
	slices.Sort(all)
	return all
}
