package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"modernc.org/sqlite"
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
}

func openPool(name, dsn string, size int, o Options) (*pool, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(timedConnector{connector, name, o.Observer})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pool{name: name, size: size, timeout: o.Timeout, db: db, observer: o.Observer}, nil
}

func (p *pool) describe() Pool {
	return Pool{Name: p.name, MaxIdle: p.size, Stats: p.db.Stats}
}

// with runs use on a connection of its own. Waiting for one and using it end
// when ctx does, or after the pool's timeout.
func (p *pool) with(ctx context.Context, use func(context.Context, *sql.Conn) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	asked := time.Now()
	p.observer.Waiting(p.name, 1)
	conn, err := p.db.Conn(ctx)
	got := time.Now()
	p.observer.Waiting(p.name, -1)
	p.observer.Acquired(p.name, got.Sub(asked), err != nil && ctx.Err() != nil)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, conn.Close())
		p.observer.Released(p.name, time.Since(got))
	}()
	return use(ctx, conn)
}

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
