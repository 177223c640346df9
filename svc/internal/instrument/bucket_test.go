package instrument

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// quantile estimates as Prometheus' histogram_quantile does.
func quantile(s sample, q float64) float64 {
	rank, seen, lower := q*float64(s.Count), 0.0, 0.0
	for i, bound := range s.Bounds {
		n := float64(s.Buckets[i])
		if seen+n >= rank {
			return lower + (bound-lower)*(rank-seen)/n
		}
		seen, lower = seen+n, bound
	}
	return s.Bounds[len(s.Bounds)-1]
}

// recorded returns the histogram of these latencies, which it sorts.
func recorded(t *testing.T, latencies []float64) sample {
	r := newRig(t, sdktrace.NeverSample())
	h, err := r.meter().Float64Histogram("h", durationBuckets())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(latencies)
	for _, l := range latencies {
		h.Record(context.Background(), l)
	}
	return r.samples(t)[0]
}

// worstError is the largest relative error of the usual quantiles, of those
// that lie where our objectives do.
func worstError(t *testing.T, latencies []float64) (worst float64) {
	s := recorded(t, latencies)
	for _, q := range []float64{.5, .9, .95, .99} {
		truth := latencies[int(q*float64(len(latencies)-1))]
		if truth >= 100e-6 && truth <= 100e-3 {
			worst = max(worst, math.Abs(quantile(s, q)-truth)/truth)
		}
	}
	return worst
}

// distribution gives n latencies spaced evenly in probability.
func distribution(n int, inverse func(p float64) float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = inverse((float64(i) + .5) / float64(n))
	}
	return all
}

func logNormal(median, sigma float64) func(float64) float64 {
	return func(p float64) float64 { return median * math.Exp(sigma*math.Sqrt2*math.Erfinv(2*p-1)) }
}

// exponential starts at a floor, as a queue in front of constant work does.
func exponential(floor, mean float64) func(float64) float64 {
	return func(p float64) float64 { return floor - mean*math.Log(1-p) }
}

func TestQuantileOfRealLatenciesIsOffByMoreThan20Percent(t *testing.T) {
	for median := 60e-6; median < 100e-3; median *= 1.13 {
		for name, inverse := range map[string]func(float64) float64{
			"log-normal, narrow": logNormal(median, .4),
			"log-normal, wide":   logNormal(median, 1),
			"exponential":        exponential(0, median/math.Ln2),
			"queue":              exponential(median/2, median/2/math.Ln2),
		} {
			if e := worstError(t, distribution(5000, inverse)); e > .20 {
				t.Errorf("%s, median %.0f µs: %.0f %%", name, median*1e6, e*100)
			}
		}
	}
}

func TestQuantileOfConstantLatencyIsOffByMoreThan60Percent(t *testing.T) {
	worst := 0.0
	for latency := 101e-6; latency < 100e-3; latency *= 1.01 {
		worst = max(worst, worstError(t, distribution(100, func(float64) float64 { return latency })))
	}
	if worst > .605 {
		t.Errorf("%.0f %%", worst*100)
	}
}

func TestBucketsAreSoManyThatSeriesExplode(t *testing.T) {
	bounds := recorded(t, []float64{1}).Bounds
	if len(bounds) > 20 || bounds[0] != 100e-6 || bounds[len(bounds)-1] != 10 {
		t.Error(len(bounds), fmt.Sprint(bounds))
	}
}
