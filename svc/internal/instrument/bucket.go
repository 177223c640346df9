package instrument

import (
	"time"

	"go.opentelemetry.io/otel/metric"
)

// durationBounds are the upper bounds of every histogram of durations, in
// seconds. The conventions' own start at 5 ms, where a configuration read has
// long ended. These are the preferred numbers R5 (ISO 3) from 100 µs to 100 ms:
// each is 1.6 times the one before, so no quantile in that range is off by more
// than 60 %, and by at most 20 % for latencies that spread as real ones do.
// Above, four bounds tell slow from broken.
func durationBounds() []float64 {
	return []float64{
		.0001, .00016, .00025, .0004, .00063,
		.001, .0016, .0025, .004, .0063,
		.01, .016, .025, .04, .063,
		.1, .25, 1, 2.5, 10,
	}
}

// durationBuckets are advice on an instrument, so every reader has the same.
func durationBuckets() metric.HistogramOption {
	return metric.WithExplicitBucketBoundaries(durationBounds()...)
}

// sizeBounds are the upper bounds of every histogram of sizes, in bytes. The
// first tells no body from a small one; 1 MiB is the limit of a request body
// unless the operator sets another.
func sizeBounds() []float64 {
	return []float64{0, 128, 256, 512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20}
}

// sizeBuckets are like durationBuckets for sizes.
func sizeBuckets() metric.HistogramOption {
	return metric.WithExplicitBucketBoundaries(sizeBounds()...)
}

// seconds keeps the nanoseconds that d.Seconds would round away.
func seconds(d time.Duration) float64 {
	return float64(d) / float64(time.Second)
}
