// Package histogram counts what happens to every request: once, however many
// readers of metrics there are, without a lock and without an allocation.
//
// What comes out is what the OpenTelemetry SDK's own cumulative histograms
// give, point for point; a test holds the one against the other.
package histogram

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// maxSeries bounds the series of one histogram, as the SDK does: what is past
// it shares one that says so.
const maxSeries = 2000

// A Histogram counts observations in buckets, apart for each set of attributes.
// Its methods may be called concurrently.
type Histogram struct {
	name, unit, description string

	perUnit float64   // observations are integers: so many to a unit
	bounds  []float64 // upper bounds of the buckets, in units
	limits  []int64   // the same as observations
	started time.Time

	mu      sync.Mutex
	byKey   map[attribute.Distinct]*Series
	inOrder []*Series // of their first use
}

func newHistogram(name, unit, description string, perUnit float64, bounds []float64) *Histogram {
	h := &Histogram{
		name: name, unit: unit, description: description, perUnit: perUnit, bounds: bounds,
		limits: make([]int64, len(bounds)), started: time.Now(), byKey: map[attribute.Distinct]*Series{},
	}
	for i, bound := range bounds {
		h.limits[i] = int64(math.Round(bound * perUnit))
	}
	return h
}

// Series returns the series of a set of attributes, always the same. It takes a
// lock: callers keep what they will need again.
func (h *Histogram) Series(attributes attribute.Set) *Series {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.byKey[attributes.Equivalent()]; ok {
		return s
	}
	if len(h.inOrder) >= maxSeries-1 {
		attributes = attribute.NewSet(attribute.Bool("otel.metric.overflow", true))
		if s, ok := h.byKey[attributes.Equivalent()]; ok {
			return s
		}
	}
	s := &Series{attributes: attributes, limits: h.limits, buckets: make([]bucket, len(h.limits)+1)}
	s.least.Store(math.MaxInt64)
	s.most.Store(math.MinInt64)
	h.byKey[attributes.Equivalent()] = s
	h.inOrder = append(h.inOrder, s)
	return s
}

// A Series counts the observations with one set of attributes.
type Series struct {
	attributes  attribute.Set
	limits      []int64
	buckets     []bucket // the last is for what is above every limit
	sum         atomic.Int64
	least, most atomic.Int64
}

// A bucket also keeps the last observation in it that was part of a sampled
// trace.
type bucket struct {
	count    atomic.Uint64
	exemplar atomic.Pointer[exemplar]
}

type exemplar struct {
	value int64
	at    time.Time
	trace trace.TraceID
	span  trace.SpanID
}

// Record adds an observation: nanoseconds, or bytes. Once it has returned, every
// collection that begins has the observation in it. One that is under way may
// have its count and not yet its sum, or the other way round.
func (s *Series) Record(v int64) { s.record(v) }

// RecordIn is like Record for an observation that is part of a span. If that is
// sampled, it becomes its bucket's exemplar.
func (s *Series) RecordIn(span trace.SpanContext, v int64) {
	b := s.record(v)
	if span.IsSampled() {
		b.exemplar.Store(&exemplar{value: v, at: time.Now(), trace: span.TraceID(), span: span.SpanID()})
	}
}

func (s *Series) record(v int64) *bucket {
	i := 0
	for i < len(s.limits) && v > s.limits[i] { // most are in the first few
		i++
	}
	s.sum.Add(v)
	for least := s.least.Load(); v < least && !s.least.CompareAndSwap(least, v); {
		least = s.least.Load()
	}
	for most := s.most.Load(); v > most && !s.most.CompareAndSwap(most, v); {
		most = s.most.Load()
	}
	s.buckets[i].count.Add(1)
	return &s.buckets[i]
}
