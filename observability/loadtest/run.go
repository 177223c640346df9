package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/scenarios"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// cleanupTimeout bounds what is done to leave nothing behind.
const cleanupTimeout = time.Minute

// A session is one run of one scenario.
type session struct {
	invocation
	scenario scenarios.Scenario
	schedule *load.Schedule
	client   *target.Client
	world    *target.World
	observer *verify.Observer // nil when nothing is verified
	recorder *load.Recorder
}

func runScenario(ctx context.Context, call invocation) (code int, err error) {
	s, err := newSession(call)
	if err != nil {
		return 0, err
	}
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.cleanup()) }()
	// A signal ends the load; what comes after it has to be done all the same.
	rest := context.WithoutCancel(ctx)
	if err := s.world.Setup(ctx); err != nil {
		return 0, fmt.Errorf("setting up the load: %w", err)
	}
	l := s.play(ctx)
	claims, err := s.verify(rest, l)
	if err != nil {
		return 0, err
	}
	s.print(l, claims)
	return exitCode(claims), nil
}

func newSession(call invocation) (*session, error) {
	scenario, err := scenarios.Load(call.args[0], call.quick, os.ReadFile)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(call.target)
	if err != nil {
		return nil, err
	}
	s := &session{
		invocation: call, scenario: scenario, schedule: load.NewSchedule(scenario.Phases), recorder: load.NewRecorder(),
		client: target.NewClient(base, call.token, call.connections, call.sampled),
	}
	s.world = target.NewWorld(s.client, fmt.Sprintf("loadtest-%s-%d", scenario.Name, time.Now().UnixNano()), scenario.World)
	if len(call.claimIDs()) > 0 {
		s.observer, err = verify.NewObserver(s.client, verify.Endpoints{Metrics: call.metrics, Collector: call.collector, Prometheus: call.prometheus}, call.settle)
	}
	return s, err
}

// begin finds out whether the run can be made, and looks at the pipeline before it.
func (s *session) begin(ctx context.Context) error {
	if s.observer != nil {
		if err := s.observer.Begin(ctx); err != nil {
			return err
		}
	}
	_, err := s.client.Totals(ctx)
	return err
}

func (s *session) cleanup() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	return s.world.Cleanup(ctx)
}

// play offers the load, with all that goes on beside it.
func (s *session) play(ctx context.Context) verify.Load {
	beside, end := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	if s.observer != nil {
		others.Go(func() { s.observer.Probe(beside) })
	}
	player := load.Player{
		Schedule: s.schedule, Workers: s.connections,
		Send: s.world.Turns(context.WithoutCancel(ctx), s.scenario.Mix), Observer: s.recorder,
	}
	started, stopped := player.Play(ctx)
	end()
	others.Wait()
	from, to := s.schedule.Steady()
	return verify.Load{
		Started: started, Stopped: stopped, Planned: int64(s.schedule.DueBy(stopped.Sub(started))), Totals: s.recorder.Totals(),
		Steady: verify.Steady{From: started.Add(from), To: started.Add(min(to, stopped.Sub(started)))},
	}
}

func (s *session) verify(ctx context.Context, l verify.Load) ([]verify.Claim, error) {
	if s.observer == nil {
		return nil, nil
	}
	evidence, err := s.observer.End(ctx, l)
	if err != nil {
		return nil, err
	}
	return verify.Judge(evidence, s.claimIDs()), nil
}

func (s *session) print(l verify.Load, claims []verify.Claim) {
	response, service, lateness := s.recorder.Latency()
	fmt.Fprintf(s.stdout, "%+v\nresponse %v %v service %v %v late %v\n", l.Totals, response.P50, response.P99, service.P50, service.P99, lateness.P99)
	for _, c := range claims {
		fmt.Fprintf(s.stdout, "claim %s: %s: %s\n", c.ID, c.Says, c.Verdict)
		for _, f := range c.Findings {
			fmt.Fprintf(s.stdout, "    %s: expected %s, found %s (%s; %s): %s\n", f.What, f.Expected, f.Found, f.Difference, f.Tolerance, f.Verdict)
		}
	}
}

func exitCode(claims []verify.Claim) int {
	code := exitTrue
	for _, c := range claims {
		switch c.Verdict {
		case verify.False:
			return exitFalse
		case verify.Unchecked:
			code = exitUnchecked
		}
	}
	return code
}
