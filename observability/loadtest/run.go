package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"configservice/observability/loadtest/emit"
	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/report"
	"configservice/observability/loadtest/scenarios"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// cleanupTimeout bounds what is done to leave nothing behind.
const cleanupTimeout = time.Minute

// A session is one run of one scenario.
type session struct {
	invocation
	id       string
	scenario scenarios.Scenario
	schedule *load.Schedule
	client   *target.Client
	world    *target.World
	observer *verify.Observer // nil when nothing is verified
	recorder *load.Recorder
	meter    *emit.Meter // nil when the SDK is disabled
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
	if err := s.world.Setup(ctx); err != nil {
		return 0, fmt.Errorf("setting up the load: %w", err)
	}
	r, err := s.play(ctx)
	if err != nil {
		return 0, err
	}
	// A signal ends the load; what comes after it has to be done all the same.
	return s.conclude(context.WithoutCancel(ctx), r)
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
		id:     time.Now().UTC().Format("20060102T150405Z") + "-" + scenario.Name,
	}
	s.world = target.NewWorld(s.client, fmt.Sprintf("loadtest-%s-%d", scenario.Name, time.Now().UnixNano()), scenario.World)
	if len(call.claimIDs()) > 0 {
		s.observer, err = verify.NewObserver(s.client, call.observed())
	}
	return s, err
}

// observed says what is verified, and where.
func (o *options) observed() verify.Options {
	return verify.Options{
		Endpoints:  verify.Endpoints{Metrics: o.metrics, Collector: o.collector, Prometheus: o.prometheus},
		Dashboards: o.dashboards, Settle: o.settle, Claims: o.claimIDs(),
	}
}

// begin finds out whether the run can be made, and looks at the pipeline before it.
func (s *session) begin(ctx context.Context) error {
	if err := s.client.Reach(ctx); err != nil {
		return err
	}
	if s.observer != nil {
		if err := s.observer.Begin(ctx); err != nil {
			return err
		}
	}
	if s.getenv("OTEL_SDK_DISABLED") == "true" {
		return nil
	}
	trouble := func(err error) {
		fmt.Fprintf(s.stderr, "loadtest: its own metrics do not arrive, so the dashboards lack them; the test goes on: %s\n", oneLine(err))
	}
	var err error
	s.meter, err = emit.Start(ctx, s.scenario.Name, s.otlp(), s.getenv, trouble)
	return err
}

func (s *session) cleanup() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	if s.meter != nil {
		s.meter.Stop()
	}
	return s.world.Cleanup(ctx)
}

// play offers the load, with all that goes on beside it.
func (s *session) play(ctx context.Context) (r report.Run, err error) {
	rest, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var watchers *target.Watchers
	if s.scenario.Watchers > 0 {
		if watchers, err = s.world.Watch(rest, s.scenario.Watchers); err != nil {
			return r, err
		}
	}
	s.running(rest, true)
	var others sync.WaitGroup
	others.Go(func() { s.watchOver(rest) })
	if s.observer != nil {
		others.Go(func() { s.observer.Probe(rest) })
	}
	player := load.Player{
		Schedule: s.schedule, Workers: s.connections,
		Send: s.world.Turns(context.WithoutCancel(ctx), s.scenario.Mix), Observer: s.observers(),
	}
	started, stopped := player.Play(ctx)
	if watchers != nil {
		p := watchers.Result()
		r.Propagation = &p
	}
	end()
	others.Wait()
	s.running(context.WithoutCancel(ctx), false)
	s.describe(&r, started, stopped)
	return r, nil
}

func (s *session) observers() load.Observer {
	if s.meter == nil {
		return s.recorder
	}
	return load.Observers{s.recorder, s.meter}
}

func (s *session) running(ctx context.Context, running bool) {
	if s.meter != nil {
		s.meter.Running(ctx, running)
	}
}

// describe writes down what the tester knows by itself.
func (s *session) describe(r *report.Run, started, stopped time.Time) {
	took := stopped.Sub(started)
	from, to := s.schedule.Steady()
	r.ID, r.Scenario, r.Quick, r.Target, r.Grafana = s.id, s.scenario, s.quick, s.target, s.grafana
	r.Interrupted = took < s.schedule.Length()
	r.Load = verify.Load{
		Started: started, Stopped: stopped, Planned: int64(s.schedule.DueBy(took)), Totals: s.recorder.Totals(),
		Steady: verify.Steady{From: started.Add(from), To: started.Add(min(to, took))},
	}
	r.Response, r.Service, r.Lateness = s.recorder.Latency()
	r.Points = s.recorder.Points()
	r.Knee = knee(s.schedule, r.Points)
}

// conclude verifies the run, keeps it, and tells it.
func (s *session) conclude(ctx context.Context, r report.Run) (code int, err error) {
	if s.observer != nil {
		if r.Evidence, err = s.observer.End(ctx, r.Load); err != nil {
			return 0, err
		}
		r.Claims = verify.Judge(r.Evidence, s.claimIDs())
	}
	r.Counts = s.client.Ledger.Read().Counts
	if r.Thresholds, err = thresholds(r, s.waited(ctx)); err != nil {
		return 0, err
	}
	path, err := r.Write(s.out)
	if err != nil {
		return 0, fmt.Errorf("writing the report: %w; --out chooses another directory", err)
	}
	tell(s.stdout, r)
	fmt.Fprintf(s.stdout, "\nreport: %s\n", path)
	return exitCode(r), nil
}

// exitCode sums up. A false claim weighs more than one that was not checked, for
// it is certain; a threshold weighs least, for it is about the service.
func exitCode(r report.Run) int {
	code := exitTrue
	for _, f := range r.Thresholds {
		if f.Verdict == verify.False {
			code = exitThreshold
		}
	}
	for _, c := range r.Claims {
		switch c.Verdict {
		case verify.False:
			return exitFalse
		case verify.Unchecked:
			code = exitUnchecked
		}
	}
	return code
}
