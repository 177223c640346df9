package load

import (
	"testing"
	"time"
)

func TestScheduleOffersAnotherNumberOfRequestsThanItsRates(t *testing.T) {
	for _, c := range []struct {
		name   string
		phases []Phase
		want   int
	}{
		{"constant", []Phase{{10, 10, 2 * time.Second}}, 20},
		{"step", []Phase{{10, 10, 3 * time.Second}, {100, 100, time.Second}, {10, 10, time.Second}}, 140},
		{"rising", []Phase{{0.5, 99.5, 10 * time.Second}}, 500},
		{"falling", []Phase{{100, 20, 10 * time.Second}}, 600},
		{"less than one", []Phase{{0.1, 0.1, time.Second}}, 1},
	} {
		s := NewSchedule(c.phases)
		if s.Total() != c.want {
			t.Errorf("%s: %d requests, want %d", c.name, s.Total(), c.want)
		}
		last := time.Duration(-1)
		for i := range s.Total() {
			if due := s.Due(i); due < last || due >= s.Length() {
				t.Fatalf("%s: request %d is due at %v, after %v, in %v", c.name, i, due, last, s.Length())
			} else {
				last = due
			}
			if got := s.DueBy(last); got < i+1 {
				t.Fatalf("%s: %d due by %v, want %d at least", c.name, got, last, i+1)
			}
		}
		if got := s.DueBy(s.Length()); got != c.want {
			t.Errorf("%s: %d due by the end, want %d", c.name, got, c.want)
		}
	}
}

func TestRampIsNotLinear(t *testing.T) {
	s := NewSchedule([]Phase{{100, 300, 10 * time.Second}})
	if half := s.DueBy(5 * time.Second); half < 749 || half > 751 {
		t.Errorf("%d requests in the first half, want 750 of 2000", half)
	}
	if rate := s.Rate(5 * time.Second); rate != 200 {
		t.Errorf("%g a second in the middle, want 200", rate)
	}
}
