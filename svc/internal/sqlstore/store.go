// Package sqlstore keeps applications, configurations and every change to
// them in an SQL database: one SQLite file.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"configservice/svc/internal/conf"
)

// Options tell how a store is opened. The zero value is usable.
type Options struct {
	// MaxConnections bounds the connections that serve reads; 0 means
	// DefaultMaxConnections. Writes have one connection of their own.
	MaxConnections int

	// Timeout bounds each call, the wait for a connection included; 0 means
	// DefaultTimeout.
	Timeout time.Duration

	// Observer is told what happens at the connection pools; nil means nobody.
	Observer PoolObserver
}

// What the zero Options mean.
const (
	DefaultMaxConnections = 8
	DefaultTimeout        = 5 * time.Second
)

func (o *Options) setDefaults() {
	if o.MaxConnections == 0 {
		o.MaxConnections = DefaultMaxConnections
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
}

// Store is a [conf.Store] in an SQL database.
type Store struct {
	writer *pool // a single connection: SQLite has one writer at a time
	reader *pool
}

var _ conf.Store = (*Store)(nil)

// Open opens the store that url names, as "sqlite:PATH", creates the file when
// there is none, and brings its schema up to date. It refuses, untouched, a
// file that is not a configuration store and one whose schema is newer than
// this program's.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	path, err := ParseURL(url)
	if err != nil {
		return nil, err
	}
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	o.setDefaults()
	s := &Store{}
	if s.writer, err = openPool("writer", writerDSN(path, o.Timeout), 1, o); err != nil {
		return nil, err
	}
	if s.reader, err = openPool("reader", readerDSN(path, o.Timeout), o.MaxConnections, o); err != nil {
		return nil, errors.Join(err, s.writer.db.Close())
	}
	if err := migrate(ctx, s.writer.db); err != nil {
		return nil, errors.Join(cannotOpen(path, err), s.Close())
	}
	return s, nil
}

// Close waits for the calls under way and closes the store's connections.
func (s *Store) Close() error {
	// The reader first: the last connection to close folds the write-ahead
	// log into the file, and only the writer may.
	return errors.Join(s.reader.db.Close(), s.writer.db.Close())
}

// Pools returns the store's connection pools.
func (s *Store) Pools() []Pool {
	return []Pool{s.writer.describe(), s.reader.describe()}
}

// Stats implements [conf.Store].
func (s *Store) Stats(ctx context.Context) (conf.Stats, error) {
	var st conf.Stats
	err := s.reader.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		return scanStats(ctx, c, &st)
	})
	return st, translate(err)
}

func scanStats(ctx context.Context, q querier, st *conf.Stats) error {
	return q.QueryRowContext(ctx, `SELECT revision, applications, configurations FROM store`).
		Scan(&st.Revision, &st.Applications, &st.Configurations)
}

// querier is what a connection and a transaction have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// view runs fn on one snapshot of the store, for reads of several statements.
func (s *Store) view(ctx context.Context, fn func(context.Context, querier) error) error {
	return translate(s.reader.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return err
		}
		defer tx.Rollback() // a read has nothing to keep
		return fn(ctx, tx)
	}))
}

// Times are kept as microseconds, so a time that went through the store
// compares equal to itself.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
