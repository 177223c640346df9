// Package sqlstore keeps applications, configurations and every change to
// them in an SQL database: one SQLite file, or PostgreSQL.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"configservice/svc/internal/conf"
)

// Options tell how a store is opened. The zero value is usable.
type Options struct {
	// MaxConnections bounds the connections; 0 means DefaultMaxConnections.
	// On SQLite it counts those that serve reads, and writes have one of their
	// own. On PostgreSQL writes use one of them at most, so that reads find
	// one while writes wait for each other; [Store.Listen] has one of its own.
	MaxConnections int

	// Timeout bounds each call, the wait for a connection included; 0 means
	// DefaultTimeout. A write that has been begun by then is not given up before
	// its outcome is known, which takes another such time at most.
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
	dialect dialect
	writer  *pool // of one user at a time
	writes  *group
	reader  *pool
	listen  func(ctx context.Context, changed func())
	disk    func() (available, capacity int64, err error)
	within  *unit // every call happens in it; nil: each in one of its own
}

var _ conf.Store = (*Store)(nil)

func newStore(d dialect, reader, writer *pool, listen func(context.Context, func()), disk func() (int64, int64, error)) *Store {
	return &Store{dialect: d, writer: writer, writes: &group{pool: writer, dialect: d, onCommit: func([]conf.Transaction) {}}, reader: reader, listen: listen, disk: disk}
}

// ParseURL returns the engine that a database URL names, as [Store.System]
// does. It touches no database, and its error shows no password.
func ParseURL(url string) (system string, err error) {
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		_, err := sqlitePath(url)
		return sqliteDialect().system, err
	case "postgres", "postgresql":
		_, err := parsePostgres(url)
		return postgresDialect().system, err
	}
	return "", errors.New("the database URL is neither sqlite:PATH nor postgres://USER:PASSWORD@HOST:PORT/DATABASE")
}

// Open opens the store that url names, as "sqlite:PATH" or
// "postgres://USER:PASSWORD@HOST:PORT/DATABASE", and brings its schema up to
// date; several may do so at once.
//
// It creates an SQLite file when there is none. A PostgreSQL database must
// exist; the store keeps to a schema of its own in it, config_service unless
// the URL's parameter search_path names another, so other programs' tables do
// not matter. The other parameters are those of libpq, and what the URL leaves
// open comes from libpq's environment variables. PgBouncer may stand between
// in session mode only.
//
// Open refuses, untouched, a file or schema that another program has filled
// and one whose schema is newer than this program's. Its error names the
// remedy, and never the password.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	o.setDefaults()
	system, err := ParseURL(url)
	switch {
	case err != nil:
		return nil, err
	case system == postgresDialect().system:
		return openPostgres(ctx, url, o)
	}
	return openSQLite(ctx, url, o)
}

// System returns the engine's name by OpenTelemetry's convention for
// db.system.name: sqlite or postgresql.
func (s *Store) System() string { return s.dialect.system }

// OnCommit has told called after each commit of this store's own writes, before
// any of them returns and before the next commit, with what they have changed,
// in order of revisions, as [Store.Changes] would return it. It is not told of
// imports. It must not block, and must not change what it is given, which it
// shares with the callers of the writes. OnCommit comes before the first write.
func (s *Store) OnCommit(told func([]conf.Transaction)) { s.writes.onCommit = told }

// Close waits for the calls under way and closes the store's connections.
func (s *Store) Close() error {
	// The reader first: the last connection to close folds SQLite's
	// write-ahead log into the file, and only the writer may.
	return errors.Join(s.reader.db.Close(), s.writer.db.Close())
}

// Pools returns the store's connection pools.
func (s *Store) Pools() []Pool {
	if s.reader.db == s.writer.db {
		return []Pool{s.reader.describe()}
	}
	return []Pool{s.writer.describe(), s.reader.describe()}
}

// Disk returns a function that tells, in bytes, how much of the file system
// that the store's file is on can still be written to, and how large it is. It
// returns nil when the store is not a file, or this system does not tell.
func (s *Store) Disk() func() (available, capacity int64, err error) { return s.disk }

// Stats implements [conf.Store].
func (s *Store) Stats(ctx context.Context) (conf.Stats, error) {
	var st conf.Stats
	err := s.query(ctx, func(ctx context.Context, q querier) error {
		return scanStats(ctx, q, &st)
	})
	return st, err
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

// query runs fn, a read of one statement that looks at few rows.
func (s *Store) query(ctx context.Context, fn func(context.Context, querier) error) error {
	if s.within != nil {
		return translate(fn(ctx, s.within))
	}
	with := s.reader.briefly
	if s.dialect.remote {
		with = s.reader.with
	}
	return translate(with(ctx, func(ctx context.Context, c *sql.Conn) error {
		return fn(ctx, c)
	}))
}

// view runs fn on one snapshot of the store, for reads of several statements.
func (s *Store) view(ctx context.Context, fn func(context.Context, querier) error) error {
	if s.within != nil {
		return translate(fn(ctx, s.within))
	}
	return translate(s.reader.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		tx, err := c.BeginTx(ctx, &s.dialect.read)
		if err != nil {
			return err
		}
		defer tx.Rollback() // a read has nothing to keep
		return fn(ctx, tx)
	}))
}

// Snapshot runs fn on the store as it is at one moment; fn only reads.
func (s *Store) Snapshot(ctx context.Context, fn func(conf.Store) error) error {
	return s.view(ctx, func(_ context.Context, q querier) error {
		return fn(&Store{dialect: s.dialect, within: &unit{Tx: q.(*sql.Tx)}})
	})
}

// Atomically runs fn on the store in one transaction: what fn changes is kept
// when it returns nil, all of it with the revisions in a row, and else nothing.
// An error of one of its writes must be its own. Other writers wait meanwhile.
// The whole must be done within the store's timeout.
func (s *Store) Atomically(ctx context.Context, fn func(conf.Store) error) error {
	return s.alone(ctx, func(u *unit) error {
		return fn(&Store{dialect: s.dialect, within: u})
	})
}

// Times are kept as microseconds, so a time that went through the store
// compares equal to itself.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// findable returns s, to be looked for, or the empty text, which no name is,
// when no engine can hold s: PostgreSQL would not even look.
func findable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return ""
	}
	return s
}
