package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Backup writes a copy of the SQLite store that url names, as it is at one
// moment, to a new file at path, also while a service uses the store. It writes
// under another name first, so that a file at path is always whole.
func Backup(ctx context.Context, url, path string) error {
	source, err := existingSQLite(ctx, url)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is something at %s already: name another file, or remove it (%w)", path, errors.Join(os.ErrExist, err))
	}
	partial := path + ".partial"
	defer os.Remove(partial) // what an error has left
	if err := vacuumInto(ctx, source, partial); err != nil {
		return fmt.Errorf("cannot write the backup %s: %w", path, err)
	}
	if err := syncFile(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// existingSQLite returns the path of the store that url names. There is nothing
// to be had from one that is not there, and other engines have tools of their
// own.
func existingSQLite(ctx context.Context, url string) (path string, err error) {
	system, err := ParseURL(url)
	if err != nil {
		return "", err
	}
	if system != sqliteDialect().system {
		return "", errors.New("this is for SQLite; PostgreSQL has pg_dump and pg_restore")
	}
	if path, err = sqlitePath(url); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", cannotOpen(path, err)
	}
	return path, inspect(ctx, path)
}

func vacuumInto(ctx context.Context, source, target string) error {
	db, err := sql.Open("sqlite", dsn(source, url.Values{"mode": {"ro"}, "_busy_timeout": {"5000"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, target)
	return err
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// restoreMargin is by how much the revision jumps when a backup is restored
// into a new file: more than the changes that may have been made since the
// backup and are lost.
const restoreMargin = 1 << 32

// Restore replaces all resources and history in the SQLite store that url names
// with those of the backup at path, in one transaction, also while a service
// uses the store; tokens stay as they are. It makes a new store where there is
// none.
//
// Revisions go on after the highest that the store has had, or, in a new store,
// far above the backup's. No earlier revision can be resumed from, so that
// every watcher is told to resync. Restore returns the new revision.
func Restore(ctx context.Context, url, path string, o Options) (revision int64, err error) {
	backup, err := existingSQLite(ctx, "sqlite:"+path)
	if err != nil {
		return 0, err
	}
	current, err := migratedCopy(ctx, backup, o)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(filepath.Dir(current))
	if system, err := ParseURL(url); err != nil || system != sqliteDialect().system {
		return 0, errors.Join(err, errors.New("this is for SQLite; PostgreSQL has pg_dump and pg_restore"))
	}
	s, err := Open(ctx, url, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.writer.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		revision, err = replaceAll(ctx, c, current)
		return err
	})
	return revision, translate(err)
}

// migratedCopy brings a copy of the backup to this program's schema; the backup
// itself is left alone.
func migratedCopy(ctx context.Context, backup string, o Options) (path string, err error) {
	dir, err := os.MkdirTemp("", "restore-")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "backup.db")
	if err := vacuumInto(ctx, backup, path); err != nil {
		return "", errors.Join(cannotOpen(backup, err), os.RemoveAll(dir))
	}
	s, err := Open(ctx, "sqlite:"+path, o)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return path, s.Close()
}

// replaceAll is one transaction on the connection that has the backup attached.
func replaceAll(ctx context.Context, c *sql.Conn, backup string) (revision int64, err error) {
	if _, err := c.ExecContext(ctx, `ATTACH $1 AS backup`, backup); err != nil {
		return 0, err
	}
	defer func() {
		_, detached := c.ExecContext(context.WithoutCancel(ctx), `DETACH backup`)
		err = errors.Join(err, detached)
	}()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, statement := range []string{
		`DELETE FROM main.changes`,
		`DELETE FROM main.names`,
		`DELETE FROM main.configurations`,
		`DELETE FROM main.applications`,
		`INSERT INTO main.applications SELECT * FROM backup.applications`,
		`INSERT INTO main.configurations SELECT * FROM backup.configurations`,
		`INSERT INTO main.changes SELECT * FROM backup.changes`,
		`INSERT INTO main.names SELECT * FROM backup.names`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRowContext(ctx, `
		UPDATE main.store AS s SET (revision, committed_at, applications, configurations, changes) = (
			SELECT CASE WHEN s.revision = 0 THEN b.revision + $1 ELSE max(s.revision, b.revision) + 1 END,
				max(s.committed_at, b.committed_at) + 1, b.applications, b.configurations, b.changes
			FROM backup.store AS b)
		RETURNING revision`, restoreMargin).Scan(&revision)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE main.store SET pruned = revision`); err != nil {
		return 0, err
	}
	return revision, tx.Commit()
}
