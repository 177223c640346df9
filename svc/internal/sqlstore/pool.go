package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"configservice/svc/internal/conf"
)

// A PoolObserver is told what happens at a connection pool, by the pool's
// name. Its methods are called concurrently and must not block.
type PoolObserver interface {
	// Waiting is called with +1 when a caller asks for a connection and with
	// -1 when it has one or has given up.
	Waiting(pool string, delta int64)
	// Acquired tells how long the caller waited, and whether in vain.
	Acquired(pool string, wait time.Duration, timedOut bool)
	// Released tells how long the caller kept the connection.
	Released(pool string, use time.Duration)
	// Created tells how long it took to open a new connection.
	Created(pool string, d time.Duration)
}

type nobody struct{}

func (nobody) Waiting(string, int64)                {}
func (nobody) Acquired(string, time.Duration, bool) {}
func (nobody) Released(string, time.Duration)       {}
func (nobody) Created(string, time.Duration)        {}

// A Pool describes one connection pool of a store.
type Pool struct {
	Name    string
	Stats   func() sql.DBStats
	MaxIdle int // connections kept open while idle
}

// pool hands out connections and tells its observer. Every call of the store
// goes through it, so what the observer hears is all there is.
type pool struct {
	name     string
	size     int
	timeout  time.Duration
	db       *sql.DB
	observer PoolObserver
	turns    chan struct{} // who has put something in may have a connection; nil: whoever asks
	lost     *lossTime
}

func newPool(name string, connector driver.Connector, size int, o Options) *pool {
	db := sql.OpenDB(timedConnector{connector, name, o.Observer})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pool{name: name, size: size, timeout: o.Timeout, db: db, observer: o.Observer, lost: &lossTime{}}
}

func (p *pool) describe() Pool {
	return Pool{Name: p.name, MaxIdle: p.size, Stats: p.db.Stats}
}

// maxAttempts bounds how often a call is attempted that a conflict or a lost
// connection ends.
const maxAttempts = 5

// with runs use on a connection of its own, and once more when that ends in a
// conflict or its connection is lost: use has then changed nothing. Waiting
// for a connection and using it end when ctx does, or after the pool's timeout.
func (p *pool) with(ctx context.Context, use func(context.Context, *sql.Conn) error) error {
	return p.retry(ctx, func(ctx context.Context) error { return p.once(ctx, use) })
}

// briefly is like with, for a statement that looks at few rows on an engine that
// is linked in: that waits for nothing but the disk, which no deadline
// interrupts, and is over sooner than somebody has been found to watch ctx. So
// only the wait for a connection ends when ctx does, or after the timeout.
func (p *pool) briefly(ctx context.Context, use func(context.Context, *sql.Conn) error) error {
	return p.attempt(ctx, func(ctx context.Context) error {
		return p.once(ctx, func(_ context.Context, c *sql.Conn) error { return use(context.Background(), c) })
	})
}

// retry makes a call, and makes it anew within a bound when a conflict or a lost
// connection has ended it. ctx also ends after the pool's timeout.
func (p *pool) retry(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	return p.attempt(ctx, call)
}

func (p *pool) attempt(ctx context.Context, call func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := call(ctx)
		if err == nil || attempt == maxAttempts || !p.worthRetry(ctx, err, attempt) {
			return err
		}
	}
}

// worthRetry reports whether a call that ended in err is to be attempted anew,
// after the pause that it makes.
func (p *pool) worthRetry(ctx context.Context, err error, attempt int) bool {
	if _, ok := errors.AsType[*conf.Error](err); ok {
		return false // an answer, if not the one that was hoped for
	}
	switch faultOf(err) {
	case lost:
		p.lost.set(time.Now())
		return ctx.Err() == nil
	case conflict:
		return pause(ctx, rand.N(time.Millisecond<<(2*attempt)))
	}
	return false
}

// pause waits for d and reports whether ctx is not over.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *pool) once(ctx context.Context, use func(context.Context, *sql.Conn) error) (err error) {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	got := time.Now()
	defer func() {
		err = errors.Join(err, conn.Close())
		p.leave()
		p.observer.Released(p.name, time.Since(got))
	}()
	return use(ctx, conn)
}

// acquire waits for a turn and for a connection.
func (p *pool) acquire(ctx context.Context) (conn *sql.Conn, err error) {
	asked := time.Now()
	p.observer.Waiting(p.name, 1)
	if err = p.enter(ctx); err == nil {
		if conn, err = p.db.Conn(ctx); err != nil {
			p.leave()
		}
	}
	p.observer.Waiting(p.name, -1)
	timedOut := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	p.observer.Acquired(p.name, time.Since(asked), timedOut)
	return conn, err
}

// enter waits for a turn, if it has to, no longer than the timeout.
func (p *pool) enter(ctx context.Context) error {
	if p.turns == nil {
		return nil
	}
	select {
	case p.turns <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pool) leave() {
	if p.turns != nil {
		<-p.turns
	}
}

// lossTime is when a connection was last found lost: the others that idled
// then are suspect.
type lossTime struct{ nanos atomic.Int64 }

func (l *lossTime) set(t time.Time)        { l.nanos.Store(t.UnixNano()) }
func (l *lossTime) after(t time.Time) bool { return l.nanos.Load() > t.UnixNano() }

// timedConnector tells the observer about each connection that it opens.
type timedConnector struct {
	driver.Connector
	pool     string
	observer PoolObserver
}

func (c timedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	started := time.Now()
	conn, err := c.Connector.Connect(ctx)
	if err == nil {
		c.observer.Created(c.pool, time.Since(started))
	}
	return conn, err
}
