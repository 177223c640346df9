//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"configservice/svc/bench/load"
)

// A contest compares servers under the same load: rounds in which each has its
// turn, so that what else goes on in the machine meets all of them.
type contest struct {
	name    string
	entries []entry       // the first is what the others are compared with
	prime   time.Duration // before the first round, where caches take longer than primeTime to fill
	sliced  bool          // turns are slices of one, and short
}

// An entry is one server with the load that it gets.
type entry struct {
	name   string
	server *server
	load   load.Load
}

// A sample is what one turn has shown.
type sample struct {
	Requests     int     `json:"requests"`
	PerSecond    float64 `json:"requests_per_second"`
	CPUMicros    float64 `json:"cpu_microseconds_per_request"`
	P50Micros    float64 `json:"p50_microseconds"`
	P99Micros    float64 `json:"p99_microseconds"`
	Allocations  float64 `json:"allocations_per_request"` // 0: not known
	ResidentByte int64   `json:"resident_bytes"`
	HeldUpMicros float64 `json:"held_up_microseconds"`         // at most, the load by something else
	StartMicros  float64 `json:"start_microseconds,omitempty"` // from its start to its first answer, where that is all
	latencies    *load.Histogram
}

// A result is all that a contest has shown.
type result struct {
	Contest string `json:"contest"`
	Rows    []row  `json:"rows"`
}

type row struct {
	Name    string   `json:"name"`
	Samples []sample `json:"samples"`
}

const (
	// warmUp is how long a server gets its load before each turn, for the
	// machine's attention to turn to it.
	warmUp = 200 * time.Millisecond
	// sliceWarmUp is half of it at most, and the least, before a slice of a turn.
	sliceWarmUp = 50 * time.Millisecond
	// primeTime is how long it gets it before the first round, without a limit to
	// the rate, which fills caches.
	primeTime = time.Second
)

// run gives each entry a turn in each round, each round beginning with another.
func (c contest) run(ctx context.Context, rounds int, turn time.Duration) (result, error) {
	r := result{Contest: c.name, Rows: make([]row, len(c.entries))}
	for i, e := range c.entries {
		r.Rows[i].Name = e.name
	}
	for _, e := range c.entries {
		if err := e.prime(ctx, max(primeTime, c.prime)); err != nil {
			return r, fmt.Errorf("%s, %s: %w", c.name, e.name, err)
		}
	}
	for round := range rounds {
		for i := range c.entries {
			i = (i + round) % len(c.entries)
			s, err := c.alone(i, func() (sample, error) { return c.entries[i].turn(ctx, c.warmUp(), turn) })
			if err != nil {
				return r, fmt.Errorf("%s, %s: %w", c.name, c.entries[i].name, err)
			}
			r.Rows[i].Samples = append(r.Rows[i].Samples, s)
		}
	}
	return r, nil
}

// warmUp is how long a server gets its load before a turn. Before a slice it is
// enough for what came due while the server stood still, and drawn by lot: what
// servers do by the clock, as to send metrics, then falls into measured time in
// its fair proportion, for slices do not keep step with it.
func (c contest) warmUp() time.Duration {
	if c.sliced {
		return sliceWarmUp + rand.N(sliceWarmUp)
	}
	return warmUp
}

// alone lets one entry have its turn while the servers of others that would
// have to share a processor with its own stand still: what they do by
// themselves, as to send metrics, would count as the one's.
func (c contest) alone(i int, turn func() (sample, error)) (sample, error) {
	own := c.entries[i].server
	each := func(s syscall.Signal) (err error) {
		for _, e := range c.entries {
			if e.server != own && e.server.pinned && own.pinned {
				err = errors.Join(err, e.server.cmd.Process.Signal(s))
			}
		}
		return err
	}
	defer func() { _ = each(syscall.SIGCONT) }() // of one that has ended, the turn will tell
	if err := each(syscall.SIGSTOP); err != nil {
		return sample{}, err
	}
	return turn()
}

// loadFor is the entry's load, for so long.
func (e entry) loadFor(d time.Duration) load.Load {
	l := e.load
	l.Address, l.Pinned, l.Duration = e.server.address, e.server.pinned, d
	return l
}

func (e entry) prime(ctx context.Context, d time.Duration) error {
	l := e.loadFor(d)
	l.Rate = 0
	_, err := load.Run(l)
	return orCause(ctx, err)
}

func (e entry) turn(ctx context.Context, warmUp, d time.Duration) (sample, error) {
	allocated, err := e.server.allocated(ctx)
	if err != nil {
		return sample{}, err
	}
	var cpu time.Duration
	l := e.loadFor(d)
	l.WarmUp, l.Begin = warmUp, func() (err error) { cpu, err = e.server.cpu(); return err }
	r, err := load.Run(l)
	if err != nil || ctx.Err() != nil {
		return sample{}, orCause(ctx, err)
	}
	return e.sample(ctx, r, cpu, allocated)
}

// orCause returns why ctx is over, if it is: then err came of that.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// sample compares what the server has used with what it had before.
func (e entry) sample(ctx context.Context, r load.Result, cpu time.Duration, allocated int64) (sample, error) {
	cpuAfter, err := e.server.cpu()
	if err != nil {
		return sample{}, err
	}
	resident, err := e.server.resident()
	if err != nil {
		return sample{}, err
	}
	allocatedAfter, err := e.server.allocated(ctx)
	if err != nil {
		return sample{}, err
	}
	n := float64(r.Requests)
	return sample{
		Requests:     r.Requests,
		PerSecond:    n / r.Elapsed.Seconds(),
		CPUMicros:    micros(cpuAfter-cpu) / n,
		P50Micros:    micros(r.Latencies.Quantile(.50)),
		P99Micros:    micros(r.Latencies.Quantile(.99)),
		HeldUpMicros: micros(r.HeldUp),
		Allocations:  float64(allocatedAfter-allocated) / float64(r.WarmUps+r.Requests),
		ResidentByte: resident,
		latencies:    &r.Latencies,
	}, nil
}

// together makes one sample of those of a turn's slices.
func together(slices []sample) sample {
	r := row{Samples: slices}
	all := sample{PerSecond: r.mean(perSecond), CPUMicros: r.mean(cpuMicros), Allocations: r.mean(allocs), latencies: new(load.Histogram)}
	for _, s := range slices {
		all.Requests += s.Requests
		all.HeldUpMicros = max(all.HeldUpMicros, s.HeldUpMicros)
		all.ResidentByte = s.ResidentByte
		all.latencies.Add(s.latencies)
	}
	all.P50Micros, all.P99Micros = micros(all.latencies.Quantile(.50)), micros(all.latencies.Quantile(.99))
	return all
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
