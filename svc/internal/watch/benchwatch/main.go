//go:build linux

// Command benchwatch opens many watches of a service that runs as a process of
// its own, changes a configuration again and again, and tells how long each
// change took to reach the watchers and how much memory a watcher costs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// The bars that the service must hold.
const (
	maxP99    = 100 * time.Millisecond
	maxMemory = 35 << 10 // per watcher: what etcd states for a connection and a stream
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type options struct {
	service  string
	watchers int
	changes  int
	interval time.Duration
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("benchwatch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.service, "service", "bin/config-service", "`program` to measure")
	flags.IntVar(&o.watchers, "watchers", 10000, "`number` of watchers")
	flags.IntVar(&o.changes, "changes", 30, "`number` of changes")
	flags.DurationVar(&o.interval, "interval", time.Second, "`time` between changes")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := bench(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "benchwatch:", err)
		return 1
	}
	return 0
}

func bench(ctx context.Context, o options, stdout io.Writer) error {
	if err := allowFiles(o.watchers + 100); err != nil {
		return err
	}
	s, err := startService(ctx, o.service)
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := s.newWriter(ctx)
	if err != nil {
		return err
	}
	before, err := s.memory()
	if err != nil {
		return err
	}
	started := time.Now()
	crowd, err := gather(s.address, o.watchers, o.changes)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d watchers connected in %s\n", o.watchers, time.Since(started).Round(time.Millisecond))
	idle, err := s.settled(ctx)
	if err != nil {
		return err
	}
	used, err := s.effort(func() error {
		if err := c.change(ctx, o.changes, o.interval); err != nil {
			return err
		}
		return crowd.wait(ctx, o.changes)
	})
	if err != nil {
		return err
	}
	after, err := s.memory()
	if err != nil {
		return err
	}
	return report(stdout, o, c, crowd, memory{before, idle, after}, used)
}

// An effort is the CPU time that something took, and what other programs on the
// machine took meanwhile of all that there was, from 0 to 1.
type effort struct {
	service, clients time.Duration
	others           float64
}

// effort returns what fn takes, in the service and here.
func (s *service) effort(fn func() error) (effort, error) {
	before, err := s.usage()
	if err := errors.Join(err, fn()); err != nil {
		return effort{}, err
	}
	after, err := s.usage()
	e := effort{service: after.service - before.service, clients: after.clients - before.clients}
	others := after.busy - before.busy - e.service - e.clients
	e.others = max(0, float64(others)/float64(max(1, after.all-before.all)))
	return e, err
}

// memory is the service's, in bytes: without watchers, with idle ones, and
// after the changes.
type memory struct{ before, idle, after int64 }

func report(w io.Writer, o options, c *writer, crowd *crowd, m memory, used effort) error {
	delivered := crowd.latencies(c.commits, func(a arrival) time.Time { return a.received })
	read := crowd.latencies(c.commits, func(a arrival) time.Time { return a.read })
	per := (m.idle - m.before) / int64(o.watchers)
	fmt.Fprintf(w, "%d changes, %d deliveries\n", o.changes, len(delivered))
	fmt.Fprintf(w, "commit → delivered   p50 %s   p99 %s   max %s\n", quantile(delivered, .5), quantile(delivered, .99), quantile(delivered, 1))
	fmt.Fprintf(w, "commit → read        p50 %s   p99 %s   max %s   (by clients on the same processors, at the lowest priority)\n",
		quantile(read, .5), quantile(read, .99), quantile(read, 1))
	fmt.Fprintf(w, "write → answered     p50 %s   max %s\n", quantile(c.durations, .5), quantile(c.durations, 1))
	fmt.Fprintf(w, "CPU per delivery     service %s   clients %s\n", used.service/time.Duration(len(delivered)), used.clients/time.Duration(len(delivered)))
	fmt.Fprintf(w, "other programs       %.0f %% of the processors meanwhile: the more, the later the deliveries\n", 100*used.others)
	fmt.Fprintf(w, "memory per watcher   idle %.1f KB   after the changes %.1f KB   (service: %.1f MB before, %.1f MB idle)\n",
		float64(per)/1024, float64(m.after-m.before)/float64(o.watchers)/1024, float64(m.before)/(1<<20), float64(m.idle)/(1<<20))
	if p99 := quantile(delivered, .99); p99 >= maxP99 {
		return fmt.Errorf("the p99 of %s is not below %s", p99, maxP99)
	}
	if per >= maxMemory {
		return fmt.Errorf("%d bytes a watcher are not below %d", per, maxMemory)
	}
	return nil
}
