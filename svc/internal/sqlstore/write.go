package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"configservice/svc/internal/conf"
)

// A transaction is one write under way, in a unit that it may share with
// others. Revisions become visible in the order of their numbers, without gaps.
type transaction struct {
	*unit
	caller   context.Context // tells who it is that writes, and until when
	revision int64
	now      time.Time // later than that of every earlier revision
	changes  []conf.Change
	touched  bool // it has changed something, or tried to, or may have broken the unit
}

// write runs fn in a transaction and commits it when fn returns nil. A write
// that fn refuses uses up no revision.
func (s *Store) write(ctx context.Context, fn func(*transaction) error) error {
	return s.transact(ctx, func(tx *transaction) error {
		tx.begin(time.Now())
		return fn(tx)
	})
}

// transact is write without a revision.
func (s *Store) transact(ctx context.Context, fn func(*transaction) error) error {
	if s.within == nil {
		return translate(s.writes.do(ctx, fn))
	}
	_, err := s.within.perform(ctx, fn)
	if err == nil {
		err = s.within.settle() // for what is read before the commit
	}
	return translate(err)
}

// alone runs fn in a unit that it shares with nobody, and which ends with ctx.
func (s *Store) alone(ctx context.Context, fn func(*unit) error) error {
	return translate(s.writer.with(ctx, func(ctx context.Context, c *sql.Conn) error {
		u, err := openUnit(ctx, c, &s.dialect.write, &recent{})
		if err != nil {
			return err
		}
		defer u.Rollback() // does nothing after Commit
		if err := fn(u); err != nil {
			return err
		}
		if err := u.settle(); err != nil {
			return err
		}
		return u.commit()
	}))
}

// begin takes the next revision and its time.
func (tx *transaction) begin(clock time.Time) {
	tx.head.next(clock)
	tx.revision, tx.now = tx.head.revision, fromMicros(tx.head.committedAt)
}

func (tx *transaction) row(query string, args ...any) *sql.Row {
	return tx.QueryRowContext(tx.ctx, query, args...)
}

// exec carries out a statement, unless nobody waits for the write any more. When
// the unit lets statements be late, its failure may only be that of a later one.
func (tx *transaction) exec(query string, args ...any) error {
	_, err := tx.change(tx.late, query, args)
	return err
}

// affect is exec, and returns how many rows the statement has changed.
func (tx *transaction) affect(query string, args ...any) (rows int64, err error) {
	res, err := tx.change(tx.ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (tx *transaction) change(ctx context.Context, query string, args []any) (sql.Result, error) {
	if err := tx.caller.Err(); err != nil {
		return nil, err
	}
	tx.touched = true
	return tx.ExecContext(ctx, query, args...)
}

const insertChange = `
INSERT INTO changes (revision, ordinal, operation, application_id, configuration_id, version,
	name, comments, config, changed_by, changed_from, created_at, changed_at, previous)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

// applicationChanged records a change of the application itself.
func (tx *transaction) applicationChanged(operation string, a conf.Application) error {
	return tx.record(conf.Change{Operation: operation, ApplicationID: a.ID, Name: a.Name, Comments: a.Comments, CreatedAt: a.CreatedAt}, 0)
}

// configurationChanged records a change of c, which is as the change leaves
// it, or as it last was when the change deletes it. Its last change had the
// revision previous, 0 when there was none.
func (tx *transaction) configurationChanged(operation string, c conf.Configuration, previous int64) error {
	change := conf.Change{Operation: operation, ApplicationID: c.ApplicationID, ConfigurationID: c.ID,
		Name: c.Name, Comments: c.Comments, Config: c.Config, Version: c.Version, CreatedAt: c.CreatedAt}
	if operation == conf.Delete {
		change.Config, change.Version = nil, c.Version+1
	}
	if err := tx.record(change, previous); err != nil {
		return err
	}
	tx.recent.put(operation, c)
	return nil
}

// configuration returns a configuration as it is by now.
func (tx *transaction) configuration(id string) (conf.Configuration, error) {
	if c, ok := tx.recent.get(id); ok {
		return c, nil
	}
	return getConfiguration(tx.ctx, tx, id)
}

// record keeps a change, of which the caller says what is the resource's.
func (tx *transaction) record(c conf.Change, previous int64) error {
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
		c.Name, c.Comments, config, c.ChangedBy, orNull(actor.Address), c.CreatedAt.UnixMicro(), c.UpdatedAt.UnixMicro(), previous)
	tx.changes = append(tx.changes, c)
	tx.head.changes++
	return err
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
