package report

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"configservice/observability/loadtest/load"
)

// noisy is a minute of load whose latencies are around p50, give or take a third.
func noisy(seed uint64, seconds int, p50 time.Duration) Run {
	r, chance := Run{ID: "run"}, rand.New(rand.NewPCG(seed, 1))
	r.Scenario.Name = "mixed"
	for s := range seconds {
		factor := .67 + .66*chance.Float64()
		r.Points = append(r.Points, load.Point{
			At: time.Duration(s+1) * time.Second, Scheduled: 50, Completed: 50,
			P50: time.Duration(factor * float64(p50)), P99: time.Duration(3 * factor * float64(p50)),
		})
	}
	return r
}

func TestNoiseIsTakenForADifference(t *testing.T) {
	wrong := 0
	for seed := range uint64(100) {
		for _, d := range Compare(noisy(2*seed, 60, time.Millisecond), noisy(2*seed+1, 60, time.Millisecond)).Rows {
			if d.Verdict != "no difference beyond noise" {
				wrong++
			}
		}
	}
	if wrong > 6 { // of 300 comparisons, one in a hundred may
		t.Errorf("%d differences where there are none", wrong)
	}
}

func TestDifferenceIsTakenForNoise(t *testing.T) {
	fast, slow := noisy(1, 60, time.Millisecond), noisy(2, 60, 1500*time.Microsecond)
	for _, c := range []struct {
		before, after Run
		want          string
		worse         bool
	}{{fast, slow, "worse", true}, {slow, fast, "better", false}} {
		compared := Compare(c.before, c.after)
		if got := compared.Rows[0].Verdict; got != c.want {
			t.Errorf("the verdict is %q, want %q", got, c.want)
		}
		var out strings.Builder
		if worse := compared.Tell(&out); worse != c.worse || !strings.Contains(out.String(), "p50 from the scheduled moment") {
			t.Errorf("worse is %v, want %v\n%s", worse, c.worse, out.String())
		}
	}
}

func TestRunsThatTellNothingAreCompared(t *testing.T) {
	for _, d := range Compare(noisy(1, 8, time.Millisecond), noisy(2, 8, time.Second)).Rows {
		if d.Verdict != "too short to tell" {
			t.Errorf("%s: %q after 8 seconds", d.What, d.Verdict)
		}
	}
	other := noisy(2, 60, time.Millisecond)
	other.Scenario.Name = "spike"
	if c := Compare(noisy(1, 60, time.Millisecond), other); c.Refused == "" {
		t.Error("runs of different loads are compared")
	}
}
