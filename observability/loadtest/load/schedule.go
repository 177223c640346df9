// Package load offers requests to a server at the moments of a schedule, never
// slowed by how fast the server answers, and records what became of each.
package load

import (
	"math"
	"sort"
	"time"
)

// A Phase is a stretch of time in which the rate is constant or changes
// linearly. Rates are requests a second and positive.
type Phase struct {
	From float64       `json:"from"`
	To   float64       `json:"to"`
	For  time.Duration `json:"for"`
}

// offered is how many requests are due within the first d of the phase.
func (p Phase) offered(d time.Duration) float64 {
	t := d.Seconds()
	return p.From*t + (p.To-p.From)*t*t/(2*p.For.Seconds())
}

// due is when the request number k of the phase, counted from 0, is due.
func (p Phase) due(k int) time.Duration {
	slope := (p.To - p.From) / p.For.Seconds()
	n := float64(k)
	t := n / p.From
	if slope != 0 {
		// The smaller root of slope/2·t² + From·t = n, in the form that does not cancel.
		t = 2 * n / (p.From + math.Sqrt(p.From*p.From+2*slope*n))
	}
	return time.Duration(t * float64(time.Second))
}

// A Schedule is phases one after the other. It fixes the moment of every request
// before the first one is sent.
type Schedule struct {
	phases []Phase
	starts []time.Duration // of each phase
	firsts []int           // number of each phase's first request
	total  int
	length time.Duration
}

// NewSchedule returns the schedule of phases.
func NewSchedule(phases []Phase) *Schedule {
	s := &Schedule{phases: phases}
	for _, p := range phases {
		s.starts = append(s.starts, s.length)
		s.firsts = append(s.firsts, s.total)
		// A hair less, so that rounding makes no request due at the very end.
		s.total += int(math.Ceil(p.offered(p.For) - 1e-6))
		s.length += p.For
	}
	return s
}

// Total is how many requests there are.
func (s *Schedule) Total() int { return s.total }

// Length is how long it takes.
func (s *Schedule) Length() time.Duration { return s.length }

// Due is when request i, from 0 to Total-1, is due, counted from the start. It
// never decreases with i.
func (s *Schedule) Due(i int) time.Duration {
	n := sort.SearchInts(s.firsts, i+1) - 1
	return s.starts[n] + s.phases[n].due(i-s.firsts[n])
}

// DueBy is how many requests are due within the first d.
func (s *Schedule) DueBy(d time.Duration) int {
	return sort.Search(s.total, func(i int) bool { return s.Due(i) > d })
}

// Rate is how many requests a second are due at the moment d.
func (s *Schedule) Rate(d time.Duration) float64 {
	for i, p := range s.phases {
		if d < s.starts[i]+p.For {
			return p.From + (p.To-p.From)*(d-s.starts[i]).Seconds()/p.For.Seconds()
		}
	}
	return 0
}

// Steady returns the longest stretch of constant rate, zero when there is none.
func (s *Schedule) Steady() (from, to time.Duration) {
	for i, p := range s.phases {
		if p.From == p.To && p.For > to-from {
			from, to = s.starts[i], s.starts[i]+p.For
		}
	}
	return from, to
}
