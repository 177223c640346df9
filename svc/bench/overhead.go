//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// overhead compares one service with more and more of its telemetry, and with
// OpenTelemetry's own middleware in place of ours: what it can do at most, and
// how long requests take at a fixed rate. All have access control, which is no
// telemetry.
func (b *bench) overhead(ctx context.Context) error {
	if err := b.startReceiver(ctx); err != nil {
		return err
	}
	b.processor = serverCPU
	defer func() { b.processor = "" }()
	if err := b.overheadFree(ctx); err != nil {
		return err
	}
	return errors.Join(b.overheadPaced(ctx), b.stop())
}

// A variant is one service as it is compared with others.
type variant struct {
	name, binary string
	mode         mode
}

func plainService() variant { return variant{"telemetry off", "config-service", telemetryOff} }
func fullService() variant  { return variant{"everything on", "config-service", everythingOn} }

func (b *bench) overheadFree(ctx context.Context) error {
	c := contest{name: fmt.Sprintf("telemetry's share: hot read by id, %d connections", connections)}
	for _, v := range []variant{
		plainService(),
		{"metrics only", "config-service", metricsOnly},
		fullService(),
		{"everything on, in otelhttp", "config-service-otelhttp", everythingOn},
	} {
		e, err := b.readerOf(ctx, v.name, v)
		if err != nil {
			return err
		}
		c.entries = append(c.entries, e)
	}
	won, err := b.hold(ctx, c)
	if err != nil {
		return err
	}
	b.report.hold("telemetry's share: CPU per request, everything on to off", 1.10, false, won.find(fullService().name), &won.Rows[0], by(cpuMicros))
	if err := errors.Join(c.entries[0].server.stop(), c.entries[1].server.stop()); err != nil {
		return err
	}
	return b.retire(ctx, c.entries[2].server, c.entries[3].server)
}

const (
	// fixedRate is how many requests a second the p99 is compared at: well below
	// what any of the services can do, as in production.
	fixedRate = 5000
	// pacedTurns is how many times as long turns at the fixed rate are, for of
	// their requests only one in a hundred tells.
	pacedTurns = 5
	// slice is as much of such a turn as a server has at a time: what disturbs the
	// machine comes in bursts of seconds, and each row should get its share of all.
	slice = 400 * time.Millisecond
	// heldUpLimit is above what the receiver of telemetry keeps the load from its
	// processor, which must not count as a disturbance: it would leave out the
	// very slices in which much is sent.
	heldUpLimit = time.Millisecond
)

// overheadPaced compares the p99 at the fixed rate, with new processes in each
// round: of two of the same program, one can have a p99 that is some percent
// higher for as long as it runs.
func (b *bench) overheadPaced(ctx context.Context) error {
	all := result{
		Contest: fmt.Sprintf("telemetry's share: the same at %d requests/s", fixedRate),
		Rows:    []row{{Name: plainService().name}, {Name: fullService().name}},
	}
	slices, kept := 0, 0
	for round := range b.rounds {
		r, err := b.pacedRound(ctx, all.Contest, round)
		if err != nil {
			return err
		}
		quiet := r.undisturbed(heldUpLimit)
		slices, kept = slices+len(r.Rows[0].Samples), kept+len(quiet.Rows[0].Samples)
		if 2*len(quiet.Rows[0].Samples) < len(r.Rows[0].Samples) {
			continue
		}
		for i := range all.Rows {
			all.Rows[i].Samples = append(all.Rows[i].Samples, together(quiet.Rows[i].Samples))
		}
	}
	fmt.Fprintf(b.out, "\nat %d requests/s the load was held up in %d of %d slices, which are left out\n", fixedRate, slices-kept, slices)
	if n := len(all.Rows[0].Samples); n < 2 || 2*n < b.rounds {
		return fmt.Errorf("%s: only %d of %d rounds were not disturbed", all.Contest, n, b.rounds)
	}
	b.report.Results = append(b.report.Results, all)
	all.print(b.out)
	b.report.hold("telemetry's share: p99 at a fixed rate, everything on to off", 1.05, false, &all.Rows[1], &all.Rows[0], ratioP99)
	return b.account(ctx)
}

// pacedRound is one round at the fixed rate, slice by slice.
func (b *bench) pacedRound(ctx context.Context, name string, round int) (result, error) {
	c := contest{name: name, sliced: true}
	for _, v := range []variant{plainService(), fullService()} {
		e, err := b.readerOf(ctx, fmt.Sprintf("%s, round %d", v.name, round), v)
		if err != nil {
			return result{}, err
		}
		if err := e.server.putFirst(ctx); err != nil && round == 0 {
			fmt.Fprintf(b.out, "\n%s: what else runs on this machine will be in its times: %v\n", e.name, err)
		}
		e.load.Rate = fixedRate
		c.entries = append(c.entries, e)
	}
	r, err := c.run(ctx, max(1, int(pacedTurns*b.turn/slice)), slice)
	return r, errors.Join(err, c.entries[0].server.stop(), b.retire(ctx, c.entries[1].server))
}

// readerOf starts a service in a store of its own and returns it with a hot read
// as its load.
func (b *bench) readerOf(ctx context.Context, store string, v variant) (entry, error) {
	url, err := b.fillSQLite(ctx, fileName(store), smallStore)
	if err != nil {
		return entry{}, err
	}
	c, err := b.startService(ctx, fileName(store), v.binary, url, v.mode, true)
	if err != nil {
		return entry{}, err
	}
	ids, err := c.ids(ctx, 1)
	if err != nil {
		return entry{}, err
	}
	return entry{v.name, c.server, reading(always(encode("GET", configurationPath(ids[0]), c.header(), "")), http.StatusOK)}, nil
}
