package load

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// instantly is a server that answers at once.
func instantly(int) Outcome {
	now := time.Now()
	return Outcome{Sent: now, Done: now, Status: 200}
}

func play(ctx context.Context, s *Schedule, workers int, send func(int) Outcome) (*Recorder, time.Duration) {
	r := NewRecorder()
	p := Player{Schedule: s, Workers: workers, Send: send, Observer: r}
	start, end := p.Play(ctx)
	return r, end.Sub(start)
}

func wantBalance(t *testing.T, r *Recorder, due int) Totals {
	t.Helper()
	n := r.Totals()
	if n.Scheduled != n.Completed+n.Failed+n.NotStarted || n.Scheduled != int64(due) {
		t.Errorf("%+v does not add up to %d", n, due)
	}
	return n
}

func TestRequestIsNotSentWhenItIsDue(t *testing.T) {
	s := NewSchedule([]Phase{{500, 500, 400 * time.Millisecond}})
	r, took := play(t.Context(), s, 10, instantly)
	n := wantBalance(t, r, 200)
	if took != s.Length() || n.Completed != 200 {
		t.Errorf("%v, %+v", took, n)
	}
	if _, _, late := r.Latency(); late.P50 > 5*time.Millisecond {
		t.Errorf("sent %v late (p50)", late.P50)
	}
}

func TestServerThatHangsSlowsTheLoadOrHidesItsQueue(t *testing.T) {
	const hangs = 20 * time.Millisecond
	s := NewSchedule([]Phase{{500, 500, 200 * time.Millisecond}}) // 100 requests, of which it manages one in ten
	r, _ := play(t.Context(), s, 1, func(int) Outcome {
		sent := time.Now()
		<-time.After(hangs)
		return Outcome{Sent: sent, Done: time.Now(), Status: 200}
	})
	n := wantBalance(t, r, 100)
	response, service, _ := r.Latency()
	if service.P50 > 3*hangs || response.P50 < 5*hangs {
		t.Errorf("p50 from sent %v, from scheduled %v: the queue is not in the latter alone", service.P50, response.P50)
	}
	if n.SentLate < 10 || n.NotStarted == 0 {
		t.Errorf("%+v: want requests sent late, and others not started", n)
	}
}

func TestEndOfTheLoadLosesRequests(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := NewSchedule([]Phase{{200, 200, time.Hour}})
	var sent atomic.Int64
	r, took := play(ctx, s, 20, func(i int) Outcome {
		if sent.Add(1) == 50 {
			cancel()
		}
		return instantly(i)
	})
	wantBalance(t, r, s.DueBy(took))
	if took > 5*time.Second {
		t.Errorf("the load went on for %v", took)
	}
}

func TestFailureIsCountedAsAnAnswer(t *testing.T) {
	s := NewSchedule([]Phase{{100, 100, 100 * time.Millisecond}})
	r, _ := play(t.Context(), s, 2, func(i int) Outcome {
		o := instantly(i)
		if i%2 == 0 {
			o.Status, o.Failure = 0, "refused"
		} else {
			o.Unwanted = i == 1
		}
		return o
	})
	n := wantBalance(t, r, 10)
	if n.Completed != 5 || n.Failed != 5 || n.Failures["refused"] != 5 || n.Unwanted != 1 {
		t.Errorf("%+v", n)
	}
	if response, _, _ := r.Latency(); response.Count != 5 {
		t.Errorf("%d latencies, want those of the 5 answers", response.Count)
	}
}

func TestIntervalsDoNotAddUp(t *testing.T) {
	r := NewRecorder()
	for i := range 30 {
		r.Scheduled()
		r.Done(Result{Outcome: instantly(i), Due: time.Now()})
		if i%10 == 9 {
			r.Mark(time.Duration(i) * time.Second)
		}
	}
	for _, p := range r.Points() {
		if p.Scheduled != 10 || p.Completed != 10 {
			t.Errorf("%+v, want 10 in each", p)
		}
	}
}
