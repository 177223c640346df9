package instrument

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// poolObserver is the interface that the store's package calls through.
type poolObserver interface {
	Waiting(pool string, delta int64)
	Acquired(pool string, wait time.Duration, timedOut bool)
	Released(pool string, use time.Duration)
	Created(pool string, d time.Duration)
}

func TestPoolOfConnectionsIsShownWrong(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	pools := must[*Pools](t)(NewPools(r.Providers))
	var observer poolObserver = pools

	// A pool works before anybody observes it: it opens its first connection.
	observer.Created("write", time.Millisecond)
	succeed(t, pools.Observe(
		Pool{Name: "read", MaxIdle: 4, Stats: func() sql.DBStats { return sql.DBStats{Idle: 1, InUse: 2, MaxOpenConnections: 8} }},
		Pool{Name: "write", MaxIdle: 1, Stats: func() sql.DBStats { return sql.DBStats{Idle: 1} }},
	))
	observer.Waiting("read", 1)
	observer.Waiting("read", 1)
	observer.Waiting("read", -1)
	observer.Acquired("read", time.Second, false)
	observer.Acquired("read", time.Second, true)
	observer.Released("read", time.Second)

	const db, read, write = "db.client.connection.", "{db.client.connection.pool.name=read", "{db.client.connection.pool.name=write"
	want := map[string]float64{
		db + "count" + read + ",db.client.connection.state=idle}":  1,
		db + "count" + read + ",db.client.connection.state=used}":  2,
		db + "count" + write + ",db.client.connection.state=idle}": 1,
		db + "count" + write + ",db.client.connection.state=used}": 0,
		db + "max" + read + "}":                                    8, // write has no limit, so no sample
		db + "idle.max" + read + "}":                               4,
		db + "idle.max" + write + "}":                              1,
		db + "pending_requests" + read + "}":                       1,
		db + "pending_requests" + write + "}":                      0,
		db + "timeouts" + read + "}":                               1,
		db + "timeouts" + write + "}":                              0,
		db + "wait_time" + read + "}":                              1,
		db + "use_time" + read + "}":                               1,
		db + "create_time" + write + "}":                           1,
	}
	if diff := cmp.Diff(want, r.values(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestPoolEventAllocates(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	pools := must[*Pools](t)(NewPools(r.Providers))
	if n := testing.AllocsPerRun(1000, func() {
		pools.Waiting("read", 1)
		pools.Acquired("read", time.Second, false)
		pools.Waiting("read", -1)
		pools.Released("read", time.Second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
