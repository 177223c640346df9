// Package verify proves, or disproves, that what the telemetry tells about a load
// is what happened. An [Observer] gathers [Evidence] from every stage of the
// pipeline, as a stranger who can only read; [Judge] holds it against claims.
package verify

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/target"
)

const (
	// pollEvery is how often stages are read while something is waited for.
	pollEvery = 250 * time.Millisecond
	// readTimeout bounds one read of one stage.
	readTimeout = 5 * time.Second
)

// Endpoints say where the stages are: base URLs of Prometheus, and the pages of
// metrics of the service and of the Collector's exporter.
type Endpoints struct{ Metrics, Collector, Prometheus string }

// Options say what an Observer looks at, and how long it waits.
type Options struct {
	Endpoints
	Dashboards string        // directory
	Settle     time.Duration // longest wait for the pipeline to catch up
	Claims     []string      // what is to be judged; for other claims some evidence is not gathered
}

// An Observer watches one run.
type Observer struct {
	client  *target.Client
	prom    promQL
	stages  []stage
	options Options

	began, looked time.Time
	before        []Snapshot
	agreed        bool // all stages, before
	prober        *prober
}

// NewObserver returns an observer of the pipeline behind client's service.
func NewObserver(client *target.Client, options Options) (*Observer, error) {
	reader := &http.Client{Timeout: readTimeout}
	p, err := newPromQL(options.Prometheus, reader)
	if err != nil {
		return nil, fmt.Errorf("--prometheus: %w", err)
	}
	return &Observer{
		client: client, prom: p, options: options, stages: stages(options.Endpoints, reader, p),
		prober: newProber(client, p),
	}, nil
}

// Begin looks at every stage before anything is done, as soon as all of them
// tell the same; what had not reached the end of the pipeline yet would later be
// taken for this run's. From then on the client's ledger counts, too. Its error
// names a stage that cannot be read.
func (o *Observer) Begin(ctx context.Context) error {
	o.began = time.Now()
	o.before = o.look(ctx)
	for i, s := range o.before {
		if s.Missing != "" {
			return fmt.Errorf("%s cannot be read: %s", o.stages[i].name, s.Missing)
		}
	}
	if slices.Contains(o.options.Claims, "6") {
		o.await(ctx, func() bool { return o.scraped(ctx, "cadvisor", "config-service") })
	}
	o.agreed = o.await(ctx, func() bool {
		o.before = o.look(ctx)
		return alike(o.before)
	})
	o.looked = time.Now()
	o.client.Ledger.Reset()
	o.prober.begin(o.before)
	return ctx.Err()
}

// scraped says whether Prometheus has scraped the jobs twice. Until then nobody
// knows how much CPU was used before the run.
func (o *Observer) scraped(ctx context.Context, jobs ...string) bool {
	return !slices.ContainsFunc(jobs, func(job string) bool {
		tracks, err := o.prom.raw(ctx, fmt.Sprintf(`up{job=%q}`, job), time.Now(), lookback)
		return err != nil || len(tracks) == 0 || len(tracks[0].points) < 2
	})
}

// alike says whether all stages tell the same of the API.
func alike(all []Snapshot) bool {
	for _, s := range all[1:] {
		if len(differences(ofAPI(all[0].Counts), ofAPI(s.Counts))) > 0 {
			return false
		}
	}
	return true
}

// Probe sends requests until ctx ends and measures how long each takes to be in
// Prometheus by both paths, and what a request costs that does nothing. It is to
// be called while the load runs.
func (o *Observer) Probe(ctx context.Context) { o.prober.send(ctx) }

// Load is what the tester knows about the load by itself.
type Load struct {
	Started time.Time
	Stopped time.Time // when the last request was due
	Planned int64     // requests due between the two, by the schedule
	Steady  Steady
	Totals  load.Totals
}

// late is the share of requests sent late above which the tester itself waits for
// a processor: what it measures then holds waits of its own.
const late = 0.01

// Behind says whether the tester did not keep up with its own schedule.
func (l Load) Behind() bool {
	return float64(l.Totals.SentLate) > late*float64(l.Totals.Scheduled)
}

// Steady is the longest stretch of constant rate.
type Steady struct{ From, To time.Time }

// End waits until every stage tells what the client counted, or the time for it
// is over, and returns the evidence. The world that the load worked on must
// still be there.
func (o *Observer) End(ctx context.Context, l Load) (Evidence, error) {
	truth, err := o.client.Totals(ctx)
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{Load: l, Began: o.began, Looked: o.looked, Agreed: o.agreed, Truth: truth, Book: o.client.Ledger.Read()}
	o.await(ctx, func() bool {
		e.Stages = o.compare(ctx)
		seen := o.prober.allSeen()
		return seen && e.settled()
	})
	e.Settled = time.Now()
	e.Freshness = o.prober.result()
	return e, o.inquire(ctx, &e)
}

// Again returns the evidence with all that Prometheus tells of its time replaced
// by what it tells now.
func (o *Observer) Again(ctx context.Context, e Evidence) (Evidence, error) {
	for i, s := range o.stages {
		if s.keeps && i < len(e.Stages) {
			e.Stages[i].Before, e.Stages[i].After = s.snapshot(ctx, e.Looked), s.snapshot(ctx, e.Settled)
		}
	}
	e.Resets, e.Down, e.Troubles, e.Exemplars, e.Served, e.Panels = nil, nil, nil, nil, nil, Panels{}
	return e, o.inquire(ctx, &e)
}

func (o *Observer) compare(ctx context.Context) []Stage {
	after := o.look(ctx)
	all := make([]Stage, len(o.stages))
	for i, s := range o.stages {
		all[i] = Stage{Name: s.name, Before: o.before[i], After: after[i]}
	}
	return all
}

func (o *Observer) look(ctx context.Context) []Snapshot {
	all := make([]Snapshot, len(o.stages))
	for i, s := range o.stages {
		all[i] = s.snapshot(ctx, time.Now())
	}
	return all
}

// await returns true as soon as done says so, and false after o.options.Settle.
func (o *Observer) await(ctx context.Context, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, o.options.Settle)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
