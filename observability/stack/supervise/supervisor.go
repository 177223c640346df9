package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Supervisor runs programs. Its fields are set before Run and not after.
type Supervisor struct {
	Programs []Program
	Stdout   io.Writer // the merged output of all programs, and what the supervisor says
	Colour   bool
	LogDir   string // an existing directory that gets one log file for each program
	Cgroup   string // name of the control group that gets one child for each program
	HowTo    string // the last line of the table: how to stop it all
	Pace     Pace

	openCgroups func(parent string) (*cgroups, error) // nil means those of this machine

	stream   *Stream
	spawner  *spawner
	groups   *cgroups
	noGroups sync.Once
	lives    []*life
	kill     context.Context
	fail     context.CancelCauseFunc
}

// Pace is how patient a supervisor is; DefaultPace suits people.
type Pace struct {
	Poll         time.Duration // between two looks at a program's health
	FirstPause   time.Duration // before a program that died is started again
	LongestPause time.Duration // the pause doubles up to this
	RanWell      time.Duration // after such a run the pause begins at FirstPause again
	LogLimit     int64         // bytes of a log file before it is rotated
}

// DefaultPace returns what the stack uses outside tests.
func DefaultPace() Pace {
	return Pace{
		Poll:         100 * time.Millisecond,
		FirstPause:   500 * time.Millisecond,
		LongestPause: 30 * time.Second,
		RanWell:      time.Minute,
		LogLimit:     16 << 20,
	}
}

// own is the name under which the supervisor itself speaks in the stream.
const own = "stack"

// ErrKilled is returned by a Run that could not stop its programs in order.
var ErrKilled = errors.New("killed what had not stopped in order")

// Run starts the programs and keeps them running until stop is done; then it
// stops them, those that need others first, and returns nil. When kill is done
// it kills what still runs at once, and returns ErrKilled.
//
// A program that ends or stays unhealthy during its first start is a fault of
// the stack: Run stops the others and returns a *StartError. One that dies later
// is started again. When Run returns, no process that it started is left.
func (s *Supervisor) Run(stop, kill context.Context) error {
	if err := validate(s.Programs); err != nil {
		return err
	}
	s.openStream()
	defer s.stream.Close()
	if err := s.enlist(); err != nil {
		return err
	}
	defer s.dismiss()
	s.spawner = newSpawner()
	defer s.spawner.close()
	s.openGroups()
	defer s.closeGroups()

	s.kill = kill
	return s.supervise(stop)
}

func (s *Supervisor) supervise(stop context.Context) error {
	ctx, fail := context.WithCancelCause(stop)
	defer fail(nil)
	s.fail = fail
	var all sync.WaitGroup
	began := time.Now()
	for _, l := range s.lives {
		all.Go(func() { l.live(ctx) })
	}
	all.Go(func() { s.announce(ctx, stop, began) })
	all.Wait()
	var fault *StartError
	if errors.As(context.Cause(ctx), &fault) {
		return fault
	}
	if s.kill.Err() != nil {
		return ErrKilled
	}
	s.say("all stopped")
	return nil
}

// announce tells when everything is up, and when and why the end begins.
func (s *Supervisor) announce(ctx, stop context.Context, began time.Time) {
	if s.allHealthy(ctx) {
		s.stream.Print(s.table())
		s.say("all healthy in %.1f s", time.Since(began).Seconds())
	}
	<-ctx.Done()
	if stop.Err() != nil {
		s.say("stopping everything; a second Ctrl-C kills at once")
		return
	}
	s.say("stopping everything: %v", firstLine(context.Cause(ctx)))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (s *Supervisor) allHealthy(ctx context.Context) bool {
	for _, l := range s.lives {
		if !closedBefore(ctx, l.healthy) {
			return false
		}
	}
	return true
}

func (s *Supervisor) openStream() {
	names := []string{own}
	for _, p := range s.Programs {
		names = append(names, p.Name)
	}
	s.stream = NewStream(s.Stdout, s.Colour, names...)
}

// enlist makes a life of each program, tied to the lives that it needs.
func (s *Supervisor) enlist() error {
	byName := map[string]*life{}
	for i, program := range s.Programs {
		l, err := s.newLife(program, i)
		if err != nil {
			return err
		}
		s.lives = append(s.lives, l)
		byName[program.Name] = l
	}
	for _, l := range s.lives {
		for _, need := range l.Needs {
			l.needs = append(l.needs, byName[need])
			byName[need].neededBy = append(byName[need].neededBy, l)
		}
	}
	return nil
}

func (s *Supervisor) newLife(program Program, index int) (*life, error) {
	lost := func(err error) { s.say("lines of %s are lost to its log file: %v", program.Name, err) }
	log, err := openLog(s.logPath(program), s.Pace.LogLimit, lost)
	if err != nil {
		return nil, err
	}
	return &life{
		Program: program,
		sup:     s,
		log:     log,
		output:  &source{stream: s.stream, label: s.stream.label(program.Name, index), log: log},
		healthy: make(chan struct{}),
		gone:    make(chan struct{}),
		pause:   backoff{first: s.Pace.FirstPause, most: s.Pace.LongestPause, ranWell: s.Pace.RanWell},
	}, nil
}

// dismiss closes the log files. Each line in them is written already.
func (s *Supervisor) dismiss() {
	for _, l := range s.lives {
		_ = l.log.close()
	}
}

func (s *Supervisor) logPath(p Program) string {
	return filepath.Join(s.LogDir, p.Name+".log")
}

// say prints one line of the supervisor's own.
func (s *Supervisor) say(format string, args ...any) {
	s.stream.Print(s.stream.label(own, len(s.Programs)) + fmt.Sprintf(format, args...) + "\n")
}
