//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"configservice/svc/bench/load"
	"configservice/svc/internal/pgtest"
)

// Rows of the contests of writes.
const (
	rowEtcd       = "etcd's gateway"
	rowSQLite     = "service on SQLite"
	rowPostgreSQL = "service on PostgreSQL"
	rowOneCommit  = "SQLite, a commit per write"
)

// writerCounts are how many connections write at once.
var writerCounts = []int{1, connections, 256}

// writes compares durable writes: each connection replaces a document of its
// own, again and again, with everything on and all of the machine.
func (b *bench) writes(ctx context.Context) (err error) {
	if err := b.startReceiver(ctx); err != nil {
		return err
	}
	w := &writers{bench: b}
	if err := w.startOnSQLite(ctx); err != nil {
		return err
	}
	cluster, err := pgtest.Launch()
	if err != nil {
		fmt.Fprintf(b.out, "\nnot compared with PostgreSQL: %v\n", err)
	} else {
		defer func() { err = errors.Join(err, b.stop(), cluster.Remove()) }()
		if err := w.startOnPostgreSQL(ctx, cluster); err != nil {
			return err
		}
	}
	if err := w.startEtcd(ctx); err != nil {
		return err
	}
	for _, n := range writerCounts {
		if err := w.compare(ctx, n); err != nil {
			return err
		}
	}
	return b.stop()
}

// A writer is a server with the writes that it gets.
type writer struct {
	name      string
	server    *server
	request   requester
	processes func() ([]int, error) // that flush to the disk on its behalf
}

type writers struct {
	*bench
	all []writer
}

func (w *writers) add(name string, s *server, request requester, processes func() ([]int, error)) {
	w.all = append(w.all, writer{name, s, request, processes})
}

func (w *writers) startOnSQLite(ctx context.Context) error {
	for _, v := range []struct{ name, binary string }{
		{rowSQLite, "config-service"}, {rowOneCommit, "config-service-onecommit"},
	} {
		url, err := w.fillSQLite(ctx, fileName(v.name), perApplication)
		if err != nil {
			return err
		}
		if err := w.startWriter(ctx, v.name, v.binary, url, nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *writers) startOnPostgreSQL(ctx context.Context, cluster *pgtest.Cluster) error {
	url := cluster.URL("postgres")
	if err := w.fill(ctx, url, perApplication); err != nil {
		return err
	}
	return w.startWriter(ctx, rowPostgreSQL, "config-service", url, func() ([]int, error) {
		pid, err := cluster.Process()
		if err != nil {
			return nil, err
		}
		return descendants(pid)
	})
}

// startWriter starts a service on a filled store, which flushes by itself
// unless processes names others.
func (w *writers) startWriter(ctx context.Context, name, binary, url string, processes func() ([]int, error)) error {
	c, err := w.startService(ctx, fileName(name), binary, url, everythingOn, true)
	if err != nil {
		return err
	}
	ids, err := c.ids(ctx, writerCounts[len(writerCounts)-1])
	if err != nil {
		return err
	}
	w.add(name, c.server, replacing(func(connection, version int) []byte {
		body := fmt.Sprintf(`{"name":%q,"config":%s}`, configurationName(connection), document(version))
		return encode("PUT", configurationPath(ids[connection]), c.header(), body)
	}), orItself(c.server, processes))
	return nil
}

func (w *writers) startEtcd(ctx context.Context) error {
	etcd, err := w.bench.startEtcd(ctx)
	if errors.Is(err, errNoEtcd) {
		fmt.Fprintf(w.out, "\n%v\n", errNoEtcd)
		return nil
	}
	if err != nil {
		return err
	}
	w.add(rowEtcd, etcd, replacing(func(connection, version int) []byte {
		return encode("POST", "/v3/kv/put", nil, fmt.Sprintf(`{"key":%q,"value":%q}`, etcdKey(connection), etcdValue(version)))
	}), orItself(etcd, nil))
	return nil
}

func orItself(s *server, processes func() ([]int, error)) func() ([]int, error) {
	if processes != nil {
		return processes
	}
	return func() ([]int, error) { return []int{s.cmd.Process.Pid}, nil }
}

// replacing has each connection write one of two documents, and then the other.
func replacing(request func(connection, version int) []byte) requester {
	var versions [][2][]byte
	var turns []int
	return func(connection int) []byte {
		for len(versions) <= connection {
			n := len(versions)
			versions = append(versions, [2][]byte{request(n, n), request(n, n+1)})
			turns = append(turns, 0)
		}
		turns[connection]++
		return versions[connection][turns[connection]%2]
	}
}

// compare has a contest of n connections, counts the syncs of a write, and holds
// the service to what was promised of 32.
func (w *writers) compare(ctx context.Context, n int) error {
	c := contest{name: fmt.Sprintf("durable writes, %d connections", n)}
	for _, v := range w.all {
		c.entries = append(c.entries, entry{v.name, v.server, load.Load{Connections: n, Request: v.request, Status: http.StatusOK}})
	}
	won, err := w.hold(ctx, c)
	if err != nil {
		return err
	}
	if err := w.printSyncs(ctx, c); err != nil {
		return err
	}
	for _, bar := range []struct {
		to    string
		limit float64
	}{{rowEtcd, 1}, {rowOneCommit, 5}} {
		if n == connections {
			w.report.hold(fmt.Sprintf("durable writes, %d connections, SQLite: requests/s, to %s", n, strings.TrimPrefix(bar.to, "SQLite, ")),
				bar.limit, true, won.find(rowSQLite), won.find(bar.to), by(perSecond))
		}
	}
	return nil
}

// printSyncs gives each entry one more turn, in which nothing else is measured:
// to be watched slows a server down.
func (w *writers) printSyncs(ctx context.Context, c contest) error {
	fmt.Fprint(w.out, "syncs per write:")
	for i, e := range c.entries {
		processes, err := w.all[i].processes()
		if err != nil {
			return err
		}
		var r load.Result
		syncs, err := countSyncs(ctx, processes, func() (err error) {
			r, err = load.Run(e.loadFor(w.turn))
			return err
		})
		if errors.Is(err, errNoStrace) {
			fmt.Fprintf(w.out, " %v\n", err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, orCause(ctx, err))
		}
		fmt.Fprintf(w.out, "  %s %.3f (%d of %d)", e.name, float64(syncs)/float64(r.Requests), syncs, r.Requests)
	}
	fmt.Fprintln(w.out)
	return nil
}
