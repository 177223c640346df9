package histogram

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A Set is the histograms of one instrumentation scope. It is a producer of
// metrics as the SDK's readers take it (sdkmetric.WithProducer). Its points are
// cumulative, whatever a reader prefers, and say so.
type Set struct {
	scope instrumentation.Scope
	mu    sync.Mutex
	all   []*Histogram
}

// NewSet returns the set of a scope, with no histogram in it.
func NewSet(scope, schemaURL string) *Set {
	return &Set{scope: instrumentation.Scope{Name: scope, SchemaURL: schemaURL}}
}

// Durations adds a histogram whose observations are nanoseconds. It is shown in
// seconds, as are the ascending upper bounds of its buckets.
func (s *Set) Durations(name, description string, bounds []float64) *Histogram {
	return s.add(newHistogram(name, "s", description, float64(time.Second), bounds))
}

// Sizes adds a histogram whose observations, and the ascending upper bounds of
// its buckets, are bytes.
func (s *Set) Sizes(name, description string, bounds []float64) *Histogram {
	return s.add(newHistogram(name, "By", description, 1, bounds))
}

func (s *Set) add(h *Histogram) *Histogram {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, h)
	return h
}

// Produce returns what has been observed. It never fails. A histogram without
// an observation is left out.
func (s *Set) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	s.mu.Lock()
	all := slices.Clone(s.all)
	s.mu.Unlock()
	shown := metricdata.ScopeMetrics{Scope: s.scope}
	for _, h := range all {
		if data := h.collect(); data != nil {
			shown.Metrics = append(shown.Metrics, metricdata.Metrics{Name: h.name, Unit: h.unit, Description: h.description, Data: data})
		}
	}
	if len(shown.Metrics) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{shown}, nil
}

// collect returns all series, or nil when nothing has been observed. By the
// conventions durations are floating-point numbers, and sizes integers.
func (h *Histogram) collect() metricdata.Aggregation {
	if h.perUnit == 1 {
		return aggregate(h, func(v int64) int64 { return v })
	}
	return aggregate(h, func(v int64) float64 { return float64(v) / h.perUnit })
}

func aggregate[N int64 | float64](h *Histogram, inUnits func(int64) N) metricdata.Aggregation {
	h.mu.Lock()
	series := h.inOrder[:len(h.inOrder):len(h.inOrder)]
	h.mu.Unlock()
	now, bounds := time.Now(), slices.Clone(h.bounds) // readers may do with them what they like
	points := make([]metricdata.HistogramDataPoint[N], 0, len(series))
	for _, s := range series {
		if p := point(s, inUnits); p.Count > 0 {
			p.StartTime, p.Time, p.Bounds = h.started, now, bounds
			points = append(points, p)
		}
	}
	if len(points) == 0 {
		return nil
	}
	return metricdata.Histogram[N]{Temporality: metricdata.CumulativeTemporality, DataPoints: points}
}

// point shows a series as it is. The count is that of the buckets, so the two
// never differ.
func point[N int64 | float64](s *Series, inUnits func(int64) N) metricdata.HistogramDataPoint[N] {
	p := metricdata.HistogramDataPoint[N]{Attributes: s.attributes, BucketCounts: make([]uint64, len(s.buckets))}
	for i := range s.buckets {
		b := &s.buckets[i]
		p.BucketCounts[i] = b.count.Load()
		p.Count += p.BucketCounts[i]
		if e := b.exemplar.Load(); e != nil {
			p.Exemplars = append(p.Exemplars, metricdata.Exemplar[N]{
				Time: e.at, Value: inUnits(e.value), TraceID: e.trace[:], SpanID: e.span[:],
			})
		}
	}
	p.Sum = inUnits(s.sum.Load())
	p.Min = metricdata.NewExtrema(inUnits(s.least.Load()))
	p.Max = metricdata.NewExtrema(inUnits(s.most.Load()))
	return p
}
