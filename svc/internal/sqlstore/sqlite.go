package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks our files; the first migration writes it.
const applicationID = 0x436F6E66

// sqlitePath returns the path that a database URL of the form sqlite:PATH names.
func sqlitePath(s string) (path string, err error) {
	switch path = strings.TrimPrefix(s, "sqlite:"); path {
	case "":
		return "", fmt.Errorf("database URL %q names no file: write sqlite:PATH", s)
	case ":memory:":
		return "", fmt.Errorf("database URL %q: a store in memory is lost at exit: name a file", s)
	}
	return path, nil
}

// openSQLite opens the store in the file that url names.
func openSQLite(ctx context.Context, url string, o Options) (*Store, error) {
	path, err := sqlitePath(url)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	unlock, err := lockOpening(waiting, path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	defer unlock()
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	s, err := sqliteStore(path, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.writer.db, s.dialect); err != nil {
		return nil, errors.Join(cannotOpen(path, err), s.Close())
	}
	return s, nil
}

// sqliteStore has one connection that writes, and others that read.
func sqliteStore(path string, o Options) (*Store, error) {
	// As durable as fsync, without the time of the change. Where a system has
	// no such call, the driver goes on with what it has.
	_, _ = sqlite.Fdatasync(true)
	write, err := sqlite.NewConnector(writerDSN(path, o.Timeout))
	if err != nil {
		return nil, err
	}
	read, err := sqlite.NewConnector(readerDSN(path, o.Timeout))
	if err != nil {
		return nil, err
	}
	writer := newPool("writer", preparedConnector{write}, 1, o)
	writer.turns = make(chan struct{}, 1)
	reader := newPool("reader", preparedConnector{read}, o.MaxConnections, o)
	reader.turns = make(chan struct{}, o.MaxConnections)
	return newStore(sqliteDialect(), reader, writer, nil, diskOf(path)), nil
}

// dsn names the file at path. Everything in params holds on every connection,
// which a PRAGMA sent to a pool would not.
func dsn(path string, params url.Values) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: params.Encode()}
	return u.String()
}

// checkpointAfter is how many pages the write-ahead log gets, 16 MB, before
// they go into the file. Writers wait meanwhile, and a page goes there once
// however often the log has it, so that SQLite's own 1000 would cost more.
const checkpointAfter = 4000

// Full synchronization makes a commit durable before it is acknowledged: in
// WAL mode anything less survives a crash of the process but not of the
// machine. An immediate transaction takes the write lock when it begins, so it
// cannot fail to upgrade later.
func writerDSN(path string, timeout time.Duration) string {
	return dsn(path, url.Values{
		"_busy_timeout": {milliseconds(timeout)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_txlock":       {"immediate"},
		"_pragma":       {fmt.Sprintf("wal_autocheckpoint(%d)", checkpointAfter)},
	})
}

func readerDSN(path string, timeout time.Duration) string {
	return dsn(path, url.Values{
		"_busy_timeout": {milliseconds(timeout)},
		"_foreign_keys": {"1"},
		"_query_only":   {"1"},
	})
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// inspect refuses a file that is not ours, without changing a byte of it. No
// file and an empty one are fine: they are to become ours.
func inspect(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return cannotOpen(path, err)
	}
	if info.IsDir() {
		return cannotOpen(path, errors.New("it is a directory: name a file in it"))
	}
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "_busy_timeout": {milliseconds(DefaultTimeout)}}))
	if err != nil {
		return cannotOpen(path, err)
	}
	defer db.Close()
	var id, tables int
	// A start that was cut off before the first migration leaves goose's own tables.
	err = db.QueryRowContext(ctx, `
		SELECT application_id, (SELECT count(*) FROM sqlite_schema WHERE tbl_name NOT IN ('goose_db_version', 'sqlite_sequence'))
		FROM pragma_application_id`).Scan(&id, &tables)
	if err != nil {
		return cannotOpen(path, err)
	}
	if id != applicationID && tables > 0 {
		return cannotOpen(path, errors.New("it is another program's SQLite database, and has been left as it was: name another file"))
	}
	return nil
}

func cannotOpen(path string, err error) error {
	switch resultCode(err) & 0xff {
	case sqlite3.SQLITE_NOTADB:
		err = errors.New("it is not an SQLite database, and has been left as it was: name another file")
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY:
		err = fmt.Errorf("%w: the directory must exist, and it and the file be readable and writable", err)
	}
	return fmt.Errorf("cannot open the database %s: %w", path, err)
}

// resultCode returns SQLite's extended result code, 0 when err is not SQLite's
// (https://sqlite.org/rescode.html).
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
