package load

import (
	"math"
	"testing"
	"time"
)

func TestQuantilesAreWithinTheWidthOfABucket(t *testing.T) {
	var h Histogram
	for i := 1; i <= 100_000; i++ {
		h.Record(time.Duration(i) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{
		0: time.Microsecond, .5: 50 * time.Millisecond, .99: 99 * time.Millisecond, 1: 100 * time.Millisecond,
	} {
		if got := h.Quantile(q); math.Abs(float64(got-want)) > .016*float64(want) {
			t.Errorf("quantile %g is %s, want %s", q, got, want)
		}
	}
}

func TestQuantileJumpsFromBucketToBucket(t *testing.T) {
	var h Histogram
	for range 1000 {
		h.Record(time.Millisecond)
	}
	low, middle, high := h.Quantile(.001), h.Quantile(.5), h.Quantile(.999)
	if !(low < middle && middle < high) || float64(high-low) > .016*float64(time.Millisecond) {
		t.Errorf("within one bucket there are %s, %s and %s", low, middle, high)
	}
}

func TestEveryDurationIsInTheBucketThatBoundsIt(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 63, 64, 127, 128, 129, 1000, time.Second, time.Hour} {
		b := bucketOf(uint64(d))
		if d > upperBound(b) || b > 0 && d <= upperBound(b-1) {
			t.Errorf("%d is in bucket %d, from %d to %d", d, b, upperBound(b-1)+1, upperBound(b))
		}
	}
}

func TestHistogramsAddUp(t *testing.T) {
	var h, other Histogram
	h.Record(time.Millisecond)
	for range 3 {
		other.Record(time.Second)
	}
	h.Add(&other)
	if low, high := h.Quantile(.2), h.Quantile(.3); low > 2*time.Millisecond || high < 980*time.Millisecond {
		t.Errorf("the quantiles 0.2 and 0.3 are %s and %s", low, high)
	}
}

func TestNothingRecordedHasNoQuantile(t *testing.T) {
	if got := new(Histogram).Quantile(.99); got != 0 {
		t.Errorf("it is %s", got)
	}
}
