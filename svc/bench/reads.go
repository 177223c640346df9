//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// smallStore is how many configurations a store has unless a row says
// otherwise: all of them fit into the service's cache.
const smallStore = 10_000

// rowCollector is the service whose telemetry goes to a Collector that shares
// the load's processor.
const rowCollector = "the same, live Collector"

// readers are the servers that reads are compared on.
type readers struct {
	off, on                   *candidate
	bare, bare304, bareOtel   *server
	ids                       map[*candidate][]string
	byID, byName, notModified map[*candidate]requester
}

func (b *bench) reads(ctx context.Context) error {
	if err := b.startReceiver(ctx); err != nil {
		return err
	}
	if err := b.readsNextToBare(ctx); err != nil {
		return err
	}
	if err := b.readsNextToEtcd(ctx); err != nil {
		return err
	}
	return b.stop()
}

// readsNextToBare compares what a processor can do, with all that the machine
// allows for it.
func (b *bench) readsNextToBare(ctx context.Context) error {
	b.processor = serverCPU
	defer func() { b.processor = "" }()
	r, err := b.startReaders(ctx)
	if err != nil {
		return err
	}
	if err := b.holdHot(ctx, r); err != nil {
		return err
	}
	for _, c := range []contest{
		r.contest("hot read by names", r.bare, r.byName, http.StatusOK),
		r.contest("304 by id", r.bare304, r.notModified, http.StatusNotModified),
		r.contest(fmt.Sprintf("uniform reads of %d by id", smallStore), r.bare, r.uniform(), http.StatusOK),
	} {
		if _, err := b.hold(ctx, c); err != nil {
			return err
		}
	}
	return b.account(ctx, r.on.server)
}

// holdHot compares the hot read, also with a live Collector on this machine.
func (b *bench) holdHot(ctx context.Context, r *readers) error {
	collector, err := b.startCollector(ctx)
	if err != nil {
		return err
	}
	beside, err := b.startFilled(ctx, "service-collector", onToCollector)
	if err != nil {
		return err
	}
	if err := r.prepare(ctx, beside); err != nil {
		return err
	}
	hot := r.contest("hot read by id", r.bare, r.byID, http.StatusOK)
	hot.entries = append(hot.entries,
		entry{rowCollector, beside.server, reading(r.byID[beside], http.StatusOK)},
		entry{"bare + otelhttp", r.bareOtel, hot.entries[0].load})
	won, err := b.hold(ctx, hot)
	if err != nil {
		return err
	}
	b.report.readBars(won)
	return errors.Join(beside.stop(), collector.stop())
}

// readsNextToEtcd compares two services that may use all of the machine.
func (b *bench) readsNextToEtcd(ctx context.Context) error {
	etcd, err := b.startEtcd(ctx)
	if errors.Is(err, errNoEtcd) {
		fmt.Fprintf(b.out, "\n%v\n", errNoEtcd)
		return nil
	}
	if err != nil {
		return err
	}
	if err := fillEtcd(ctx, etcd.address, 1); err != nil {
		return err
	}
	on, err := b.startFilled(ctx, "service-unpinned", everythingOn)
	if err != nil {
		return err
	}
	ids, err := on.ids(ctx, 1)
	if err != nil {
		return err
	}
	ours := encode("GET", configurationPath(ids[0]), on.header(), "")
	theirs := encode("POST", "/v3/kv/range", nil, fmt.Sprintf(`{"key":%q}`, etcdKey(0)))
	won, err := b.hold(ctx, contest{name: fmt.Sprintf("hot read next to etcd, %d connections", connections), entries: []entry{
		{"etcd's gateway", etcd, reading(always(theirs), http.StatusOK)},
		{"service, everything on", on.server, reading(always(ours), http.StatusOK)},
	}})
	b.report.hold("hot read, everything on: requests/s, to etcd's gateway", 5, true, won.find("service, everything on"), won.find("etcd's gateway"), by(perSecond))
	return err
}

func (b *bench) startReaders(ctx context.Context) (*readers, error) {
	r := &readers{ids: map[*candidate][]string{}, byID: map[*candidate]requester{},
		byName: map[*candidate]requester{}, notModified: map[*candidate]requester{}}
	var err error
	if r.on, err = b.startFilled(ctx, "service-on", everythingOn); err != nil {
		return nil, err
	}
	if r.off, err = b.startFilled(ctx, "service-off", telemetryOff); err != nil {
		return nil, err
	}
	r.off.token = r.on.token
	if err := errors.Join(r.prepare(ctx, r.on), r.prepare(ctx, r.off)); err != nil {
		return nil, err
	}
	return r, b.startPeers(ctx, r)
}

// startFilled starts a service on a small store of its own.
func (b *bench) startFilled(ctx context.Context, name string, m mode) (*candidate, error) {
	url, err := b.fillSQLite(ctx, name, smallStore)
	if err != nil {
		return nil, err
	}
	return b.startService(ctx, name, "config-service", url, m, m != telemetryOff)
}

// prepare makes the requests that a service gets. All have the token, also
// where nobody asks for it, so that all servers read the same bytes.
func (r *readers) prepare(ctx context.Context, c *candidate) (err error) {
	if r.ids[c], err = c.ids(ctx, smallStore); err != nil {
		return err
	}
	path := configurationPath(r.ids[c][0])
	a, err := record(ctx, "http://"+c.address+path, c.header())
	if err != nil {
		return err
	}
	known := c.header()
	known.Set("If-None-Match", a.header("Etag"))
	r.byID[c] = always(encode("GET", path, c.header(), ""))
	r.byName[c] = always(encode("GET", "/api/v1/config/"+applicationName(0)+"/"+configurationName(0), c.header(), ""))
	r.notModified[c] = always(encode("GET", path, known, ""))
	return nil
}

func configurationPath(id string) string { return "/api/v1/configurations/" + id }

// startPeers starts what answers the same as the service, without being it.
func (b *bench) startPeers(ctx context.Context, r *readers) error {
	url := "http://" + r.on.address + configurationPath(r.ids[r.on][0])
	whole, err := record(ctx, url, r.on.header())
	if err != nil {
		return err
	}
	header := r.on.header()
	header.Set("If-None-Match", whole.header("Etag"))
	known, err := record(ctx, url, header)
	if err != nil {
		return err
	}
	var errs [3]error
	r.bare, errs[0] = b.startBare(ctx, "bare", "bare", whole)
	r.bare304, errs[1] = b.startBare(ctx, "bare-304", "bare", known)
	r.bareOtel, errs[2] = b.startBare(ctx, "bare-otelhttp", "otelhttp", whole)
	return errors.Join(errs[:]...)
}

// uniform asks for each of the store's configurations.
func (r *readers) uniform() map[*candidate]requester {
	all := map[*candidate]requester{}
	for c, ids := range r.ids {
		var requests [][]byte
		for _, id := range ids {
			requests = append(requests, encode("GET", configurationPath(id), c.header(), ""))
		}
		all[c] = uniformly(requests)
	}
	return all
}

// contest is one of the services, with telemetry and without, and a bare
// server that gives the same answer.
func (r *readers) contest(name string, bare *server, requests map[*candidate]requester, status int) contest {
	return contest{name: fmt.Sprintf("%s, %d connections", name, connections), entries: []entry{
		{"bare net/http", bare, reading(requests[r.off], status)},
		{"service, telemetry off", r.off.server, reading(requests[r.off], status)},
		{"service, everything on", r.on.server, reading(requests[r.on], status)},
	}}
}
