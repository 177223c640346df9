package verify

import (
	"math"
	"testing"
	"time"
)

func second(s float64) time.Time {
	return time.Unix(0, 0).Add(time.Duration(s * float64(time.Second)))
}

// sampled is a counter as it is scraped from start to end.
func sampled(start, step, end float64, value func(float64) float64) (t track) {
	for s := start; s <= end; s += step {
		t.points = append(t.points, point{second(s), value(s)})
	}
	return t
}

// The load begins and ends between samples of two that are read at different
// moments, and long before it one of them lied.
func TestCPUIsComparedOverDifferentTimes(t *testing.T) {
	load := func(s float64) float64 { return min(max(s-11, 0), 6) } // one CPU from 11 to 17
	for _, phase := range []float64{0, .1, 1, 2.5, 4, 4.9} {
		lying := sampled(0, 5, 40, func(s float64) float64 { return load(s) + 7*min(s, 2) })
		group := sampled(phase, 5, 40, load)
		c := compareCPU([]track{lying}, []track{group}, second(11), second(17))
		if c.Missing != "" || c.Process != 6 || c.Container != 6 {
			t.Errorf("phase %g: %+v, want 6 s of each", phase, c)
		}
	}
}

// There is no idle: who waits for the pipeline asks the service all the time.
func TestCPUAfterTheLoadIsOfOneFigureOnly(t *testing.T) {
	evenly := func(s float64) float64 { return .03*s + min(max(s-11, 0), 6) }
	for _, ends := range []float64{20, 22.5, 24.9} {
		c := compareCPU([]track{sampled(0, 5, 25, evenly)}, []track{sampled(ends-20, 5, ends, evenly)}, second(11), second(17))
		if c.Missing != "" || math.Abs(c.Process-c.Container) > .001 {
			t.Errorf("the group is known until %g: %+v, want the same", ends, c)
		}
	}
}

func TestModesOfCPUAreNotAdded(t *testing.T) {
	evenly := func(rate float64) func(float64) float64 { return func(s float64) float64 { return rate * s } }
	modes := []track{sampled(0, 5, 40, evenly(.3)), sampled(0, 5, 40, evenly(.2))}
	c := compareCPU(modes, []track{sampled(2.5, 4, 40, evenly(.5))}, second(10), second(20))
	if math.Abs(c.Process-c.Container) > 1e-9 || c.Process == 0 {
		t.Errorf("%+v, want the same", c)
	}
}

func TestCPUIsComparedWithWhatIsNotThere(t *testing.T) {
	good := []track{sampled(0, 5, 40, func(s float64) float64 { return s })}
	for _, c := range []struct {
		name               string
		process, container []track
	}{
		{"nothing", nil, nil},
		{"no control group", good, nil},
		{"no process", nil, good},
		{"a group that ended before", good, []track{sampled(0, 1, 5, func(s float64) float64 { return s })}},
		{"no sample before", good, []track{sampled(12, 1, 40, func(s float64) float64 { return s })}},
		{"no moment after at which both are known", good, []track{sampled(-2, 5, 18, func(s float64) float64 { return s })}},
		{"no sample after", good, []track{sampled(0, 5, 15, func(s float64) float64 { return s })}},
	} {
		if got := compareCPU(c.process, c.container, second(11), second(17)); got.Missing == "" {
			t.Errorf("%s: %+v, want to hear that it is missing", c.name, got)
		}
	}
}
