//go:build linux

package main

import (
	"context"
	"errors"
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

// zipfPrime is how long it takes until the cache is full of what they ask for.
const zipfPrime = 6 * time.Second

// revised is how many versions the configuration with a long history has.
const revised = 2000

// A sized is a service on a store of n configurations.
type sized struct {
	*candidate
	n     int
	url   string   // of the store
	cache int      // its --cache-bytes
	ids   []string // of the first of them
}

func (s sized) row() string {
	if s.cache == 0 {
		return fmt.Sprintf("%d, nothing cached", s.n)
	}
	return fmt.Sprintf("%d configurations", s.n)
}

// scale compares stores of different sizes under the same load: what touches one
// configuration must not cost more where there are many.
func (b *bench) scale(ctx context.Context) error {
	b.processor = serverCPU
	defer func() { b.processor = "" }()
	if b.size <= 10*smallStore {
		return fmt.Errorf("--size is %d; the large store must have more than the middle one's %d", b.size, 10*smallStore)
	}
	var all []sized
	for _, n := range []int{smallStore, 10 * smallStore, b.size} {
		s, err := b.startSized(ctx, n)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	if err := b.starts(ctx, all); err != nil {
		return err
	}
	if err := b.zipfReads(ctx, all); err != nil {
		return err
	}
	for _, c := range []struct {
		name        string
		connections int
		request     func(sized) requester
		limit       float64 // of the largest to the smallest; 0: only reported
	}{
		{"hot read by id", connections, sized.hot, 1.5},
		{"first page of the list", 1, sized.firstPage, 1.5},
		{"last page of the list", 1, sized.lastPage, 1.5},
		{"page in the middle of the list", 1, sized.middlePage, 0},
		{"read as of an earlier revision", 1, sized.earlier, 1.5},
		{fmt.Sprintf("page of a history of %d versions", revised), 1, sized.history, 1.5}, // before there are more
		{"durable write", 1, sized.write, 1.5},
		{"page of the audit", 1, sized.audit, 0},
	} {
		if err := b.compareSizes(ctx, c.name, all, c.connections, c.request, c.limit); err != nil {
			return err
		}
	}
	return b.stop()
}

// startSized makes a store by means of one service and measures another, whose
// memory has seen nothing of that.
func (b *bench) startSized(ctx context.Context, n int) (s sized, err error) {
	s = sized{n: n, cache: cacheBytes}
	if s.url, err = b.fillSQLite(ctx, fmt.Sprint("store-", n), n); err != nil {
		return s, err
	}
	if s.candidate, err = b.startOn(ctx, s); err != nil {
		return s, err
	}
	if s.ids, err = s.candidate.ids(ctx, n); err != nil {
		return s, err
	}
	_, err = load.Run(load.Load{Address: s.address, Connections: 1, Request: s.write(), Status: http.StatusOK,
		Rate: 1000, Duration: revised * time.Millisecond})
	if err = errors.Join(err, s.stop()); err != nil {
		return s, err
	}
	s.candidate, err = b.startOn(ctx, s)
	return s, err
}

// startOn starts a service as s tells.
func (b *bench) startOn(ctx context.Context, s sized) (*candidate, error) {
	return b.startService(ctx, fileName(s.row()), "config-service", s.url, telemetryOff, false, fmt.Sprint("--cache-bytes=", s.cache))
}

// starts compares how long it takes until a service serves.
func (b *bench) starts(ctx context.Context, all []sized) error {
	rows := make([]row, len(all))
	for range b.rounds {
		for i, s := range all {
			began := time.Now()
			c, err := b.startOn(ctx, s)
			if err != nil {
				return err
			}
			rows[i].Samples = append(rows[i].Samples, sample{StartMicros: micros(time.Since(began))})
			if err := c.stop(); err != nil {
				return err
			}
		}
	}
	for i, s := range all {
		rows[i].Name = s.row()
		fmt.Fprintf(b.out, "%s: serves %.0f ms after its start\n", s.row(), rows[i].mean(startMicros)/1000)
	}
	b.report.Results = append(b.report.Results, result{"start", rows})
	last := len(all) - 1
	b.report.hold(fmt.Sprintf("start to serving: time, of %d to of %d", all[last].n, smallStore), 1.5, false, &rows[last], &rows[0], by(startMicros))
	return nil
}

// zipfReads compares reads of which some are not answered from memory, and the
// memory that is resident after them: on the large store also where nothing is
// cached, so that the difference is what the cache takes.
func (b *bench) zipfReads(ctx context.Context, all []sized) (err error) {
	middle, large := all[1], all[2]
	uncached := large
	uncached.cache = 0
	if uncached.candidate, err = b.startOn(ctx, uncached); err != nil {
		return err
	}
	const name = "zipf reads by id"
	c := contestOf(name, append(all, uncached), connections, sized.zipf)
	c.prime = zipfPrime
	won, err := b.hold(ctx, c)
	if err != nil {
		return err
	}
	of, to := won.find(large.row()), won.find(middle.row())
	b.holdSizes(name, won.Rows[:len(all)], large.n, 1.5)
	b.report.hold(fmt.Sprintf("%s: resident memory, of %d to of %d", name, large.n, middle.n), 1.1, false, of, to, by(megabytes))
	b.report.hold(fmt.Sprintf("%s: what the cache adds to it, to --cache-bytes=%d", name, cacheBytes), 1.25, false,
		added(*of, *won.find(uncached.row())), constant(*of, cacheBytes), by(megabytes))
	return nil
}

// compareSizes has a contest, and holds the largest store to the smallest.
func (b *bench) compareSizes(ctx context.Context, name string, all []sized, n int, request func(sized) requester, limit float64) error {
	won, err := b.hold(ctx, contestOf(name, all, n, request))
	if err == nil && limit > 0 {
		b.holdSizes(name, won.Rows, all[len(all)-1].n, limit)
	}
	return err
}

func contestOf(name string, all []sized, n int, request func(sized) requester) contest {
	c := contest{name: fmt.Sprintf("%s, %d connections", name, n)}
	for _, s := range all {
		c.entries = append(c.entries, entry{s.row(), s.server, load.Load{Connections: n, Request: request(s), Status: http.StatusOK}})
	}
	return c
}

// holdSizes holds the last row, of so many configurations, to the first.
func (b *bench) holdSizes(name string, rows []row, large int, limit float64) {
	b.report.hold(fmt.Sprintf("%s: CPU per request, of %d to of %d", name, large, smallStore), limit, false,
		&rows[len(rows)-1], &rows[0], by(cpuMicros))
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

func (s sized) middlePage() requester {
	return always(s.get(fmt.Sprintf("/api/v1/configurations?limit=20&offset=%d", s.n/2)))
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
