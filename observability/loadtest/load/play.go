package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lateAfter is how much later than scheduled a request may be sent before it
	// counts as sent late: the load was then not what it claims to be.
	lateAfter = 5 * time.Millisecond

	// overtime is how long after the end of the schedule requests that still
	// wait for a worker are sent. What then waits was never started.
	overtime = time.Second
)

// An Outcome is what became of one request.
type Outcome struct {
	Sent, Done time.Time // Done is when the whole answer was read, or it failed
	Method     string
	Route      string
	Status     int    // 0 when there was no answer
	Failure    string // the kind of transport error; empty when there was an answer
	Unwanted   bool   // there was an answer, and it is not one that the request wants
}

// A Result is an Outcome with the moment at which it should have been sent.
type Result struct {
	Outcome
	Due time.Time
}

// Late says that the request was sent noticeably later than scheduled.
func (r Result) Late() bool { return r.Lateness() > lateAfter }

// Lateness is the time from the scheduled moment to the one of sending.
func (r Result) Lateness() time.Duration { return r.Sent.Sub(r.Due) }

// Response is the time from the scheduled moment to the answer. It holds the
// queue in front of a server that cannot keep up.
func (r Result) Response() time.Duration { return r.Done.Sub(r.Due) }

// Service is the time from the moment of sending to the answer.
func (r Result) Service() time.Duration { return r.Done.Sub(r.Sent) }

// An Observer is told of every request, by many goroutines at a time: first that
// it is scheduled, then either that it was done or that it was not started.
type Observer interface {
	Scheduled()
	Done(Result)
	NotStarted()
}

// A Player offers load. It is open-loop: each request has its moment, whatever
// became of those before it.
type Player struct {
	Schedule *Schedule
	Workers  int // how many requests can be under way at a time
	Send     func(i int) Outcome
	Observer Observer
}

// Play sends the requests of the schedule and returns when each is done or given
// up. When ctx ends, no further request is scheduled; those under way are waited
// for. It returns when the first request was due and when the last one was or
// would have been.
//
// A worker takes the next request and sleeps until its moment. When all workers
// are busy the request waits, is sent late, and its response time shows it.
func (p *Player) Play(ctx context.Context) (start, end time.Time) {
	g := &game{Player: p, start: time.Now()}
	g.end.Store(int64(p.Schedule.Length()))
	defer context.AfterFunc(ctx, g.halt)()
	var workers sync.WaitGroup
	for range min(p.Workers, p.Schedule.Total()) {
		workers.Go(func() { g.work(ctx) })
	}
	workers.Wait()
	return g.start, g.start.Add(time.Duration(g.end.Load()))
}

// A game is one play.
type game struct {
	*Player
	start time.Time
	end   atomic.Int64 // offset after which nothing is scheduled
	next  atomic.Int64 // the request that is taken next
	once  sync.Once
}

// halt ends the schedule now.
func (g *game) halt() {
	g.once.Do(func() { g.end.Store(min(g.end.Load(), int64(time.Since(g.start)))) })
}

func (g *game) work(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		i := int(g.next.Add(1)) - 1
		if i >= g.Schedule.Total() {
			return
		}
		due := g.Schedule.Due(i)
		if !sleep(ctx, timer, time.Until(g.start.Add(due))) {
			g.halt()
			if due > time.Duration(g.end.Load()) {
				return
			}
		}
		g.Observer.Scheduled()
		if time.Since(g.start) > time.Duration(g.end.Load())+overtime {
			g.Observer.NotStarted()
			continue
		}
		g.Observer.Done(Result{Outcome: g.Send(i), Due: g.start.Add(due)})
	}
}

// sleep returns false when ctx ended before d was over.
func sleep(ctx context.Context, timer *time.Timer, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer.Reset(d)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Observers is an Observer that tells all of them.
type Observers []Observer

// Scheduled tells all.
func (all Observers) Scheduled() {
	for _, o := range all {
		o.Scheduled()
	}
}

// NotStarted tells all.
func (all Observers) NotStarted() {
	for _, o := range all {
		o.NotStarted()
	}
}

// Done tells all.
func (all Observers) Done(r Result) {
	for _, o := range all {
		o.Done(r)
	}
}
