package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// life is one program under supervision, over all its processes.
type life struct {
	Program
	sup      *Supervisor
	log      *logFile
	output   *source
	needs    []*life
	neededBy []*life
	pause    backoff
	pid      atomic.Int64  // of its latest process
	healthy  chan struct{} // closed when it is healthy for the first time
	gone     chan struct{} // closed when it will not run any more
}

// StartError says why a stack did not come up.
type StartError struct {
	Program   string
	Reason    error
	LastLines string // of the program's output, indented
	Log       string // path of the rest
}

func (e *StartError) Error() string {
	return fmt.Sprintf("%s did not start: %v\nits last lines (%s has all):\n%s",
		e.Program, e.Reason, e.Log, e.LastLines)
}

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Reason }

// errStopped is how a run ends that the supervisor ended because it stops.
var errStopped = errors.New("stopped")

// live runs the program from the moment its needs are healthy until ctx is done.
func (l *life) live(ctx context.Context) {
	defer close(l.gone)
	for _, need := range l.needs {
		if !closedBefore(ctx, need.healthy) {
			return
		}
	}
	for {
		began := time.Now()
		err := l.run(ctx)
		if errors.Is(err, errStopped) {
			return
		}
		if !isClosed(l.healthy) {
			l.sup.fail(&StartError{l.Name, err, l.output.lastLines(), l.sup.logPath(l.Program)})
			return
		}
		if !l.rest(ctx, err, l.pause.next(time.Since(began))) {
			return
		}
	}
}

// run takes one process from its start to its end and says why it ended:
// errStopped, or what went wrong.
func (l *life) run(ctx context.Context) error {
	p, err := l.sup.launch(l.Program, l.output)
	if err != nil {
		return err
	}
	defer l.output.flush()
	l.pid.Store(int64(p.pid()))
	if err := l.awaitHealth(ctx, p); err != nil && ctx.Err() == nil {
		p.stop(l.stopWithin(), l.sup.kill)
		return err
	}
	select {
	case <-p.exited:
		if ctx.Err() == nil {
			return fmt.Errorf("ended (%s)", p.status())
		}
	case <-ctx.Done():
	}
	l.end(p)
	return errStopped
}

func (l *life) awaitHealth(ctx context.Context, p *process) error {
	began := time.Now()
	deadline, cancel := context.WithTimeout(ctx, l.healthyWithin())
	defer cancel()
	go func() {
		select {
		case <-p.exited:
			cancel()
		case <-deadline.Done():
		}
	}()
	last := newProbe(l.sup.Pace.Poll).await(deadline, l.Health)
	switch {
	case isClosed(p.exited):
		return fmt.Errorf("ended (%s) before it was healthy", p.status())
	case last != nil:
		return fmt.Errorf("not healthy within %s: %w", l.healthyWithin(), last)
	case ctx.Err() == nil:
		l.sup.say("%s is healthy after %.1f s (pid %d)", l.Name, time.Since(began).Seconds(), p.pid())
		l.markHealthy()
	}
	return nil
}

func (l *life) markHealthy() {
	if !isClosed(l.healthy) {
		close(l.healthy)
	}
}

// rest waits before the next start and says whether there will be one.
func (l *life) rest(ctx context.Context, why error, pause time.Duration) bool {
	l.sup.say("%s %v; restarts in %s", l.Name, why, pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// end stops the process once nobody needs it any more.
func (l *life) end(p *process) {
	for _, dependent := range l.neededBy {
		if !closedBefore(l.sup.kill, dependent.gone) {
			break
		}
	}
	if isClosed(p.exited) {
		l.sup.say("%s had ended already (%s)", l.Name, p.status())
		return
	}
	switch gentle := p.stop(l.stopWithin(), l.sup.kill); {
	case gentle:
		l.sup.say("%s stopped (%s)", l.Name, p.status())
	case l.sup.kill.Err() != nil:
		l.sup.say("%s killed", l.Name)
	default:
		l.sup.say("%s killed: it had not stopped after %s", l.Name, l.stopWithin())
	}
}

// closedBefore waits for c or ctx and says whether c was closed.
func closedBefore(ctx context.Context, c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return isClosed(c)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
