package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestTooFewTellOfAQuantile(t *testing.T) {
	for _, c := range []struct {
		n    int64
		q    float64
		want bool
	}{
		{0, .5, false},
		{918, .995, false}, // 0.995^918 = 0.01004
		{919, .995, true},  // 0.995^919 = 0.00999
		{6, .5, false},
		{7, .5, true},
		{100_000, .75, true},
	} {
		d := Distribution{Count: c.n, Bars: []Bar{{UpTo: time.Second, Count: c.n}}}
		if _, known := d.AtMost(c.q); known != c.want {
			t.Errorf("%d of which the quantile is %g: known is %t, want %t", c.n, c.q, known, c.want)
		}
	}
}

// Of samples of which the quantile is known, the bound is below it as often as
// is said, about.
func TestQuantileIsAboveItsBound(t *testing.T) {
	const q, samples, size = .975, 20_000, 600
	random := rand.New(rand.NewPCG(1, 2))
	below := 0
	for range samples {
		if bound, known := uniform(random, size).AtMost(q); !known || bound.Seconds() < q {
			below++
		}
	}
	if share := float64(below) / samples; share > doubt || share < doubt/4 {
		t.Errorf("the bound is below the quantile in %.2f %% of the samples, want up to %.0f %% and not much less", 100*share, 100*doubt)
	}
}

// uniform is a sample of what lies between 0 and 1 s, each in a bar of its own.
func uniform(random *rand.Rand, size int) Distribution {
	d := Distribution{Count: int64(size)}
	for range size {
		d.Bars = append(d.Bars, Bar{UpTo: time.Duration(random.Int64N(int64(time.Second))), Count: 1})
	}
	slices.SortFunc(d.Bars, func(a, b Bar) int { return int(a.UpTo - b.UpTo) })
	return d
}
