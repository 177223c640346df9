package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold microseconds, from one to ten minutes, to three digits.
const (
	shortest  = 1
	longest   = int64(10 * time.Minute / time.Microsecond)
	precision = 3
)

// A Histogram keeps durations to three digits. It is not safe for concurrent use.
type Histogram struct{ hdr *hdrhistogram.Histogram }

// NewHistogram returns an empty one.
func NewHistogram() *Histogram {
	return &Histogram{hdrhistogram.New(shortest, longest, precision)}
}

// Record adds a duration. One that is out of range counts as the nearest that is
// not: it must not vanish.
func (h *Histogram) Record(d time.Duration) {
	_ = h.hdr.RecordValue(min(max(d.Microseconds(), shortest), longest))
}

// Quantile returns the duration that the share q of all is not above.
func (h *Histogram) Quantile(q float64) time.Duration {
	return time.Duration(h.hdr.ValueAtQuantile(100*q)) * time.Microsecond
}

// Reset makes it empty.
func (h *Histogram) Reset() { h.hdr.Reset() }

// A Distribution is a histogram as a report shows it.
type Distribution struct {
	Count int64         `json:"count"`
	Mean  time.Duration `json:"mean"`
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	P95   time.Duration `json:"p95"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p999"`
	Max   time.Duration `json:"max"`
	Bars  []Bar         `json:"bars"`
}

// A Bar counts what lies in one range of durations.
type Bar struct {
	UpTo  time.Duration `json:"up_to"`
	Count int64         `json:"count"`
}

// Distribution returns what a report shows of it.
func (h *Histogram) Distribution() Distribution {
	d := Distribution{
		Count: h.hdr.TotalCount(),
		Mean:  time.Duration(h.hdr.Mean() * float64(time.Microsecond)),
		P50:   h.Quantile(.5), P90: h.Quantile(.9), P95: h.Quantile(.95),
		P99: h.Quantile(.99), P999: h.Quantile(.999),
		Max: time.Duration(h.hdr.Max()) * time.Microsecond,
	}
	// Ten bars a decade: as fine as a picture can show on a logarithmic axis.
	for _, bar := range h.hdr.Distribution() {
		if bar.Count > 0 {
			d.Bars = addBar(d.Bars, time.Duration(bar.To)*time.Microsecond, bar.Count)
		}
	}
	return d
}

// doubt is the chance at which [Distribution.AtMost] may be wrong.
const doubt = .01

// AtMost returns what the quantile q is not above, were there endlessly many of
// what this is a sample of, up to the end of a bar; false where there are too few
// to tell. It is an order statistic (Hahn and Meeker, Statistical Intervals, 5.3):
// the greatest of 919 is above the quantile 0.995 but for one chance in a hundred.
func (d Distribution) AtMost(q float64) (time.Duration, bool) {
	rank, so := d.Count-certainlyAbove(d.Count, 1-q)+1, int64(0)
	for _, b := range d.Bars {
		if so += b.Count; so >= rank {
			return b.UpTo, true
		}
	}
	return 0, false
}

// certainlyAbove returns how many of a sample of n are, at least, above what this
// share of all is above.
func certainlyAbove(n int64, share float64) (k int64) {
	for fewer := binomial(n, 0, share); fewer <= doubt; fewer += binomial(n, k, share) {
		k++
	}
	return k
}

// binomial is the probability that k of n come about, each of which does so with
// the probability p.
func binomial(n, k int64, p float64) float64 {
	logFactorial := func(n int64) float64 { l, _ := math.Lgamma(float64(n) + 1); return l }
	return math.Exp(logFactorial(n) - logFactorial(k) - logFactorial(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func addBar(bars []Bar, value time.Duration, count int64) []Bar {
	upTo := decile(value)
	if n := len(bars); n > 0 && bars[n-1].UpTo == upTo {
		bars[n-1].Count += count
		return bars
	}
	return append(bars, Bar{UpTo: upTo, Count: count})
}

// decile rounds d up to the next of ten bounds a decade, from one microsecond.
func decile(d time.Duration) time.Duration {
	step := math.Ceil(10*math.Log10(float64(d)/float64(time.Microsecond)) - 1e-9)
	return time.Duration(math.Round(math.Pow(10, max(step, 0)/10) * float64(time.Microsecond)))
}
