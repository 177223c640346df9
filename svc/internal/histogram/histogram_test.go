package histogram

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

// pointsOf collects a set that has one histogram of sizes.
func pointsOf(t *testing.T, s *Set) []metricdata.HistogramDataPoint[int64] {
	t.Helper()
	shown, err := s.Produce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(shown) == 0 {
		return nil
	}
	return shown[0].Metrics[0].Data.(metricdata.Histogram[int64]).DataPoints
}

// Many record in batches while somebody collects. A collection has at least what
// was recorded when it began, and at most what has been begun when it ended.
func TestObservationIsLostOrCountedBeforeItHappened(t *testing.T) {
	const writers, each, batch = 4, 400_000, 1000
	set := NewSet("scope", "")
	series := set.Sizes("h", "", []float64{0, 1, 2}).Series(attribute.NewSet())
	var begun, done atomic.Uint64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range writers {
		all.Go(func() {
			<-start
			for range each / batch {
				begun.Add(batch)
				for i := range int64(batch - 4) {
					series.Record(i % 4)
				}
				for i := range int64(4) {
					series.RecordIn(sampled(1), i)
				}
				done.Add(batch)
			}
		})
	}
	close(start)
	for done.Load() < writers*each {
		least := done.Load()
		points := pointsOf(t, set)
		most := begun.Load()
		if len(points) == 0 {
			continue
		}
		p := points[0]
		if p.Count < least || p.Count > most {
			t.Fatalf("%d are counted, of at least %d and at most %d", p.Count, least, most)
		}
		if n := p.BucketCounts[0] + p.BucketCounts[1] + p.BucketCounts[2] + p.BucketCounts[3]; n != p.Count {
			t.Fatalf("the buckets have %d, the count is %d", n, p.Count)
		}
	}
	all.Wait()
	p := pointsOf(t, set)[0]
	low, _ := p.Min.Value()
	high, _ := p.Max.Value()
	if p.Count != writers*each || p.Sum != writers*each*3/2 || low != 0 || high != 3 || len(p.Exemplars) != 4 {
		t.Errorf("in the end there are %d, with a sum of %d, from %d to %d, with %d exemplars", p.Count, p.Sum, low, high, len(p.Exemplars))
	}
}

func TestSeriesBeginAnewOrGrowWithoutBound(t *testing.T) {
	set := NewSet("scope", "")
	h := set.Sizes("h", "", []float64{1})
	for range 2 {
		for i := range 2 * maxSeries {
			h.Series(attribute.NewSet(attribute.Int("i", i))).Record(1)
		}
	}
	points := pointsOf(t, set)
	if len(points) != maxSeries {
		t.Fatalf("there are %d series, want %d", len(points), maxSeries)
	}
	var total uint64
	for _, p := range points {
		total += p.Count
	}
	last := points[maxSeries-1]
	if got := last.Attributes.Encoded(attribute.DefaultEncoder()); total != 4*maxSeries || got != "otel.metric.overflow=true" || last.Count != 2*(maxSeries+1) {
		t.Errorf("%d are counted, %d in the last series, %s", total, last.Count, got)
	}
}

func TestSeriesWithoutAnObservationIsShown(t *testing.T) {
	set := NewSet("scope", "")
	h := set.Sizes("h", "", []float64{1})
	h.Series(attribute.NewSet())
	if points := pointsOf(t, set); len(points) != 0 {
		t.Errorf("shown: %v", points)
	}
}

func TestExemplarIsNotTheLastOfItsBucketOrNotSampled(t *testing.T) {
	set := NewSet("scope", "")
	series := set.Sizes("h", "", []float64{10}).Series(attribute.NewSet())
	series.RecordIn(sampled(1), 1)
	series.RecordIn(sampled(2), 2)
	series.RecordIn(trace.SpanContext{}, 3)
	series.Record(4)
	got := pointsOf(t, set)[0].Exemplars
	if len(got) != 1 || got[0].Value != 2 || got[0].TraceID[0] != 2 || got[0].SpanID[0] != 2 || got[0].Time.IsZero() {
		t.Errorf("the exemplars are %v", got)
	}
}

func TestRecordAllocates(t *testing.T) {
	series := NewSet("scope", "").Durations("h", "", bounds).Series(attribute.NewSet())
	v := int64(0)
	if n := testing.AllocsPerRun(100, func() { series.Record(v); v += 1000 }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// The series of one histogram are found by all who look for them at a time.
func TestSeriesOfTheSameAttributesAreTwo(t *testing.T) {
	h := NewSet("scope", "").Sizes("h", "", nil)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 100 {
				h.Series(attribute.NewSet(attribute.String("name", fmt.Sprint((i+w)%100)))).Record(1)
			}
		})
	}
	all.Wait()
	if n := len(h.inOrder); n != 100 {
		t.Errorf("there are %d series, want 100", n)
	}
}
