//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"configservice/svc/bench/load"
)

// cacheBytes is the service's --cache-bytes in the contests of stores: room for
// all of the small store, and for a small part of the large one.
const cacheBytes = 32 << 20

// zipfExponent makes few configurations take most of the reads: of 1,000,000
// the 1,000 most read get about two thirds.
const zipfExponent = 1.1

// revised is how many versions the configuration with a long history has.
const revised = 2000

// A sized is a service on a store of n configurations.
type sized struct {
	*candidate
	n       int
	ids     []string // of the first of them
	started time.Duration
}

func (s sized) row() string { return fmt.Sprintf("%d configurations", s.n) }

// scale compares stores of different sizes under the same load: what touches one
// configuration must not cost more where there are many.
func (b *bench) scale(ctx context.Context) error {
	b.pinned = true
	defer func() { b.pinned = false }()
	if b.size <= 10*smallStore {
		return fmt.Errorf("--size is %d; the large store must have more than the middle one's %d", b.size, 10*smallStore)
	}
	var all []sized
	for _, n := range []int{smallStore, 10 * smallStore, b.size} {
		s, err := b.startSized(ctx, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(b.out, "%s: serves %s after its start\n", s.row(), s.started.Round(10*time.Millisecond))
		all = append(all, s)
	}
	for _, c := range []struct {
		name        string
		connections int
		request     func(sized) requester
		limit       float64 // of the largest to the smallest; 0: only reported
	}{
		{"hot read by id", connections, sized.hot, 1.5},
		{"zipf reads by id", connections, sized.zipf, 1.5},
		{"first page of the list", 1, sized.firstPage, 1.5},
		{"last page of the list", 1, sized.lastPage, 0},
		{"read as of an earlier revision", 1, sized.earlier, 1.5},
		{"durable write", 1, sized.write, 1.5},
		{fmt.Sprintf("page of a history of %d versions", revised), 1, sized.history, 1.5},
		{"page of the audit", 1, sized.audit, 0},
	} {
		if err := b.compareSizes(ctx, c.name, all, c.connections, c.request, c.limit); err != nil {
			return err
		}
	}
	return b.stop()
}

func (b *bench) startSized(ctx context.Context, n int) (s sized, err error) {
	name := fmt.Sprint("store-", n)
	url, err := b.fillSQLite(ctx, name, n)
	if err != nil {
		return s, err
	}
	began := time.Now()
	c, err := b.startService(ctx, name, "config-service", url, telemetryOff, fmt.Sprint("--cache-bytes=", cacheBytes))
	if err != nil {
		return s, err
	}
	s = sized{candidate: c, n: n, started: time.Since(began)}
	if s.ids, err = c.ids(ctx, n); err != nil {
		return s, err
	}
	_, err = load.Run(load.Load{Address: c.address, Connections: 1, Request: s.write(), Status: http.StatusOK,
		Rate: 1000, Duration: revised * time.Millisecond})
	return s, err
}

// compareSizes has a contest, and holds the largest store to the smallest.
func (b *bench) compareSizes(ctx context.Context, name string, all []sized, n int, request func(sized) requester, limit float64) error {
	c := contest{name: fmt.Sprintf("%s, %d connections", name, n)}
	for _, s := range all {
		c.entries = append(c.entries, entry{s.row(), s.server, load.Load{Connections: n, Request: request(s), Status: http.StatusOK}})
	}
	won, err := b.hold(ctx, c)
	if err != nil || limit == 0 {
		return err
	}
	largest, smallest := &won.Rows[len(won.Rows)-1], &won.Rows[0]
	b.report.hold(fmt.Sprintf("%s: CPU per request, of %d to of %d", name, all[len(all)-1].n, smallStore), limit, false, largest, smallest, cpuMicros)
	if name == "zipf reads by id" {
		b.report.hold(fmt.Sprintf("resident memory after them, to --cache-bytes=%d", cacheBytes), 3, false, largest, constant(*largest, cacheBytes), megabytes)
	}
	return nil
}

// constant is a row that has had the same memory in each round.
func constant(like row, resident int64) *row {
	r := row{Name: like.Name}
	for range like.Samples {
		r.Samples = append(r.Samples, sample{ResidentByte: resident})
	}
	return &r
}

func (s sized) get(path string) []byte { return encode("GET", path, s.header(), "") }

func (s sized) hot() requester { return always(s.get(configurationPath(s.ids[s.n/2]))) }

// zipf reads all configurations, some of them much more often than others,
// wherever in the store these are.
func (s sized) zipf() requester {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every round
	rank := rand.NewZipf(random, zipfExponent, 1, uint64(s.n-1))
	place := random.Perm(s.n)
	return func(int) []byte { return s.get(configurationPath(s.ids[place[rank.Uint64()]])) }
}

func (s sized) firstPage() requester { return always(s.get("/api/v1/configurations?limit=20")) }

func (s sized) lastPage() requester {
	return always(s.get(fmt.Sprintf("/api/v1/configurations?limit=20&offset=%d", s.n-20)))
}

func (s sized) earlier() requester {
	return always(s.get(configurationPath(s.ids[s.n/2]) + fmt.Sprintf("?at=%d", s.n+s.n/perApplication)))
}

func (s sized) history() requester {
	return always(s.get(configurationPath(s.ids[0]) + "/versions?limit=20&offset=1000"))
}

func (s sized) audit() requester { return always(s.get("/api/v1/audit?limit=20")) }

// write replaces the first configuration, again and again.
func (s sized) write() requester {
	return replacing(func(_, version int) []byte {
		body := fmt.Sprintf(`{"name":%q,"config":%s}`, configurationName(0), document(version))
		return encode("PUT", configurationPath(s.ids[0]), s.header(), body)
	})
}
