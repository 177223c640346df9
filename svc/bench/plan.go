//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"configservice/svc/bench/load"
)

// A plan is a set of contests with the servers that they need.
type plan struct {
	about string
	run   func(*bench, context.Context) error
}

func plans() map[string]plan {
	return map[string]plan{
		"reads":    {"reads, next to bare net/http, otelhttp and etcd's gateway", (*bench).reads},
		"scale":    {"stores of 10,000, 100,000 and --size configurations, under the same load", (*bench).scale},
		"writes":   {"durable writes on SQLite and PostgreSQL, next to etcd's gateway and to a commit per write", (*bench).writes},
		"overhead": {"what telemetry costs the service, next to otelhttp", (*bench).overhead},
	}
}

func planNames() string {
	var names []string
	for name := range plans() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func describePlans() string {
	var b strings.Builder
	for _, name := range strings.Split(planNames(), ", ") {
		fmt.Fprintf(&b, "  %-10s %s\n", name, plans()[name].about)
	}
	return b.String()
}

// A bench is one run of a plan.
type bench struct {
	options
	out       io.Writer
	dir       string  // for stores, logs and answers
	self      string  // the path of this program
	receiver  string  // HOST:PORT for OTLP over gRPC, once it runs
	collector string  // likewise, a live Collector's
	received  string  // URL that tells how many spans it has received
	answered  float64 // requests, by services that were retired
	servers   []*server
	processor string // of servers that are started from now on; empty: any
	report    report
}

// measure carries out a plan and leaves nothing behind.
func measure(ctx context.Context, o options, out io.Writer) (err error) {
	b := &bench{options: o, out: out}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop(), os.RemoveAll(b.dir)) }()
	started := time.Now()
	if err := plans()[o.plan].run(b, ctx); err != nil {
		return err
	}
	b.report.printBars(out)
	fmt.Fprintf(out, "\n%s, %d rounds of %s, took %s\n", machine(ctx), b.rounds, b.turn, time.Since(started).Round(time.Second))
	return b.report.write(o.json)
}

// hold has a contest, and prints what it shows.
func (b *bench) hold(ctx context.Context, c contest) (result, error) {
	r, err := c.run(ctx, b.rounds, b.turn)
	if err != nil {
		return r, err
	}
	b.report.Results = append(b.report.Results, r)
	r.print(b.out)
	if b.profiles == "" {
		return r, nil
	}
	return r, c.profile(ctx, b.profiles)
}

// connections is how many a load has unless its row says otherwise.
const connections = 32

// reading is a load of reads.
func reading(request requester, status int) load.Load {
	return load.Load{Connections: connections, Request: request, Status: status}
}
