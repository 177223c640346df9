package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"configservice/svc/internal/conf"
)

// A transaction is one write under way, in a transaction of the engine's that
// it may share with others. It has taken its revision as its first act, and
// thereby the lock that puts all writes in one order: revisions become visible
// in the order of their numbers, without gaps.
type transaction struct {
	*sql.Tx
	ctx      context.Context // of its statements
	caller   context.Context // tells who it is that writes, and until when
	revision int64
	now      time.Time // later than that of every earlier revision
	changes  []conf.Change
}

// write runs fn in a transaction and commits it when fn returns nil. A write
// that fn refuses uses up no revision.
func (s *Store) write(ctx context.Context, fn func(*transaction) error) error {
	return s.transact(ctx, func(tx *transaction) error {
		if err := tx.begin(time.Now()); err != nil {
			return err
		}
		if err := fn(tx); err != nil || len(tx.changes) == 1 {
			return err
		}
		return tx.totalOfChanges(len(tx.changes) - 1)
	})
}

// transact is write without a revision.
func (s *Store) transact(ctx context.Context, fn func(*transaction) error) error {
	if s.within != nil {
		return translate(fn(&transaction{Tx: s.within, ctx: ctx, caller: ctx}))
	}
	return translate(s.writes.do(ctx, fn))
}

// alone runs fn in a transaction that it shares with nobody, and which ends
// with ctx.
func (s *Store) alone(ctx context.Context, fn func(*transaction) error) error {
	return translate(s.writer.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		sqlTx, err := c.BeginTx(ctx, &s.dialect.write)
		if err != nil {
			return err
		}
		defer sqlTx.Rollback() // does nothing after Commit
		tx := &transaction{Tx: sqlTx, ctx: ctx, caller: ctx}
		if err := fn(tx); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return commitFailed(err)
		}
		return nil
	}))
}

// begin takes the next revision, and a time that is clock's unless an earlier
// revision has that time already. It counts one change, as nearly all have.
func (tx *transaction) begin(clock time.Time) error {
	var micros int64
	err := tx.row(`
		UPDATE store SET revision = revision + 1, changes = changes + 1,
			committed_at = CASE WHEN committed_at < $1 THEN $1 ELSE committed_at + 1 END
		RETURNING revision, committed_at`, clock.UnixMicro()).Scan(&tx.revision, &micros)
	tx.now = fromMicros(micros)
	return err
}

func (tx *transaction) row(query string, args ...any) *sql.Row {
	return tx.QueryRowContext(tx.ctx, query, args...)
}

// exec carries out a statement, unless nobody waits for the write any more.
func (tx *transaction) exec(query string, args ...any) error {
	if err := tx.caller.Err(); err != nil {
		return err
	}
	_, err := tx.ExecContext(tx.ctx, query, args...)
	return err
}

// total adjusts the store's totals.
func (tx *transaction) total(applications, configurations int) error {
	return tx.exec(`UPDATE store SET applications = applications + $1, configurations = configurations + $2`,
		applications, configurations)
}

// totalOfChanges adjusts how many changes are recorded.
func (tx *transaction) totalOfChanges(by int) error {
	return tx.exec(`UPDATE store SET changes = changes + $1`, by)
}

const insertChange = `
INSERT INTO changes (revision, ordinal, operation, application_id, configuration_id, version,
	name, comments, config, changed_by, changed_from, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// applicationChanged records a change of the application itself.
func (tx *transaction) applicationChanged(operation string, a conf.Application) error {
	return tx.record(conf.Change{Operation: operation, ApplicationID: a.ID, Name: a.Name, Comments: a.Comments, CreatedAt: a.CreatedAt})
}

// configurationChanged records a change of c, which is as the change leaves
// it, or as it last was when the change deletes it.
func (tx *transaction) configurationChanged(operation string, c conf.Configuration) error {
	change := conf.Change{Operation: operation, ApplicationID: c.ApplicationID, ConfigurationID: c.ID,
		Name: c.Name, Comments: c.Comments, Config: c.Config, Version: c.Version, CreatedAt: c.CreatedAt}
	if operation == conf.Delete {
		change.Config, change.Version = nil, c.Version+1
	}
	return tx.record(change)
}

// record keeps a change, of which the caller says what is the resource's.
func (tx *transaction) record(c conf.Change) error {
	actor := conf.ActorOf(tx.caller)
	if c.UpdatedAt = tx.now; actor.Name != "" {
		c.ChangedBy = &actor.Name
	}
	var configurationID, version, config any
	if c.ConfigurationID != "" {
		configurationID, version = c.ConfigurationID, c.Version
	}
	if c.Config != nil {
		config = string(c.Config)
	}
	err := tx.exec(insertChange, tx.revision, len(tx.changes), c.Operation, c.ApplicationID, configurationID, version,
		c.Name, c.Comments, config, c.ChangedBy, orNull(actor.Address), c.CreatedAt.UnixMicro(), c.UpdatedAt.UnixMicro())
	tx.changes = append(tx.changes, c)
	return err
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
