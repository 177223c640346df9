package instrument

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
)

// A Pool is one pool of database connections to observe.
type Pool struct {
	Name    string // one of a few, chosen by the program
	Stats   func() sql.DBStats
	MaxIdle int // connections kept open while idle; sql.DBStats does not tell
}

// maxPools bounds the names that are kept ready; a program has two or three.
const maxPools = 100

// Pools measures pools of database connections by the conventions
// db.client.connection.*. Its methods Waiting, Acquired, Released and Created
// are what a pool calls when the thing happens; Observe reads the rest whenever
// somebody collects.
type Pools struct {
	meter    metric.Meter
	pending  metric.Int64UpDownCounter
	timeouts metric.Int64Counter
	wait     metric.Float64Histogram
	use      metric.Float64Histogram
	create   metric.Float64Histogram
	names    *cache[string, poolOptions]
}

// poolOptions are the attributes of one pool.
type poolOptions struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// NewPools returns the instruments, with no pool yet: a pool needs its observer
// when it opens, before there is anything to observe.
func NewPools(p Providers) (*Pools, error) {
	m := p.meter()
	pending, err1 := dbconv.NewClientConnectionPendingRequests(m)
	timeouts, err2 := dbconv.NewClientConnectionTimeouts(m)
	wait, err3 := dbconv.NewClientConnectionWaitTime(m, durationBuckets())
	use, err4 := dbconv.NewClientConnectionUseTime(m, durationBuckets())
	create, err5 := dbconv.NewClientConnectionCreateTime(m, durationBuckets())
	return &Pools{
		meter:    m,
		pending:  pending.Inst(),
		timeouts: timeouts.Inst(),
		wait:     wait.Inst(),
		use:      use.Inst(),
		create:   create.Inst(),
		names:    newCache[string, poolOptions](maxPools),
	}, errors.Join(err1, err2, err3, err4, err5)
}

// Waiting tells that delta more callers wait for a connection.
func (p *Pools) Waiting(pool string, delta int64) {
	p.pending.Add(context.Background(), delta, p.options(pool).add...)
}

// Acquired tells that a caller has waited for a connection, which it got unless
// it timed out. Only the waits that brought one count as wait_time.
func (p *Pools) Acquired(pool string, wait time.Duration, timedOut bool) {
	if timedOut {
		p.timeouts.Add(context.Background(), 1, p.options(pool).add...)
		return
	}
	p.wait.Record(context.Background(), seconds(wait), p.options(pool).record...)
}

// Released tells that a connection came back after use.
func (p *Pools) Released(pool string, use time.Duration) {
	p.use.Record(context.Background(), seconds(use), p.options(pool).record...)
}

// Created tells that it took d to open a new connection.
func (p *Pools) Created(pool string, d time.Duration) {
	p.create.Record(context.Background(), seconds(d), p.options(pool).record...)
}

func (p *Pools) options(pool string) poolOptions {
	if o, ok := p.names.load(pool); ok {
		return o
	}
	name := semconv.DBClientConnectionPoolName(pool)
	o := poolOptions{add: addOptions(name), record: recordOptions(name)}
	p.names.store(pool, o)
	return o
}

// Observe shows the connections of the pools, idle and used, and their limits,
// and starts their counters at zero.
func (p *Pools) Observe(pools ...Pool) error {
	for _, pool := range pools {
		p.pending.Add(context.Background(), 0, p.options(pool.Name).add...)
		p.timeouts.Add(context.Background(), 0, p.options(pool.Name).add...)
	}
	count, err1 := dbconv.NewClientConnectionCountObservable(p.meter)
	limit, err2 := dbconv.NewClientConnectionMaxObservable(p.meter)
	idle, err3 := dbconv.NewClientConnectionIdleMaxObservable(p.meter)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err := p.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, pool := range pools {
			observePool(o, pool, count.Inst(), limit.Inst(), idle.Inst())
		}
		return nil
	}, count.Inst(), limit.Inst(), idle.Inst())
	return err
}

func observePool(o metric.Observer, pool Pool, count, limit, idle metric.Int64Observable) {
	name := semconv.DBClientConnectionPoolName(pool.Name)
	with := func(kv ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributes(append(kv, name)...)
	}
	stats := pool.Stats()
	o.ObserveInt64(count, int64(stats.Idle), with(semconv.DBClientConnectionStateIdle))
	o.ObserveInt64(count, int64(stats.InUse), with(semconv.DBClientConnectionStateUsed))
	o.ObserveInt64(idle, int64(pool.MaxIdle), with())
	if stats.MaxOpenConnections > 0 { // 0 means there is no limit to show
		o.ObserveInt64(limit, int64(stats.MaxOpenConnections), with())
	}
}
