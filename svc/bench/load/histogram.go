package load

import (
	"math/bits"
	"time"
)

// subBits is how many bits of a duration a bucket tells: 1/64, or 1.6 %.
const subBits = 6

// A Histogram counts durations in buckets whose width is 1.6 % of what they
// hold. The zero value is empty.
type Histogram struct {
	counts [64 << subBits]uint64
	total  uint64
}

// Record adds one duration.
func (h *Histogram) Record(d time.Duration) {
	h.counts[bucketOf(uint64(max(d, 0)))]++
	h.total++
}

// Add adds all that other has recorded.
func (h *Histogram) Add(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

func bucketOf(ns uint64) int {
	shift := max(bits.Len64(ns)-subBits-1, 0)
	return shift<<subBits + int(ns>>shift)
}

// upperBound returns the largest duration of a bucket.
func upperBound(bucket int) time.Duration {
	if bucket < 0 {
		return 0
	}
	if bucket < 2<<subBits {
		return time.Duration(bucket)
	}
	shift := bucket>>subBits - 1
	return time.Duration(uint64(bucket-shift<<subBits+1)<<shift - 1)
}

// Quantile returns the duration that a share q of those recorded do not
// exceed, 0 when there are none. Those of a bucket are taken to be spread evenly
// over its width, or the quantile would jump from bucket to bucket, and how much
// it depends on a few durations could not be told.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := q * float64(h.total)
	var seen float64
	for i, n := range h.counts {
		if n == 0 {
			continue
		}
		if left := rank - seen; left < float64(n) || seen+float64(n) == float64(h.total) {
			low := upperBound(i - 1)
			return low + time.Duration(left/float64(n)*float64(upperBound(i)-low))
		}
		seen += float64(n)
	}
	return 0
}
