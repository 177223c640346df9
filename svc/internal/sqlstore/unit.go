package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"runtime/debug"
	"time"

	"configservice/svc/internal/conf"
)

// A unit is a transaction of the engine's. It holds any number of ours, one
// after the other, and has locked the store's row as its first act: that is what
// puts all writes in one order.
type unit struct {
	*sql.Tx
	ctx    context.Context // of every statement: no single write's
	late   context.Context // of those whose outcome nobody waits for
	head   head            // as the writes so far leave it
	recent *recent         // what they, and those of earlier units, have left
}

// A head is the store's row, but for what only pruning touches. Each write gets
// its revision and time from it in memory; the row is written once for all of
// them, which is soon enough, since nobody else reads it before the commit.
type head struct {
	revision, committedAt                 int64 // the last; microseconds
	applications, configurations, changes int64
}

// openUnit begins a unit on c, of which nothing is kept unless it is committed. It
// has r to itself.
func openUnit(ctx context.Context, c *sql.Conn, o *sql.TxOptions, r *recent) (*unit, error) {
	tx, err := c.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	u := &unit{Tx: tx, ctx: ctx, late: ctx, recent: r}
	h := &u.head
	err = tx.QueryRowContext(ctx, `
		UPDATE store SET pruned = pruned RETURNING revision, committed_at, applications, configurations, changes`).
		Scan(&h.revision, &h.committedAt, &h.applications, &h.configurations, &h.changes)
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	r.asOf(u.head)
	return u, nil
}

// next takes the next revision, and a time that is clock's unless an earlier
// revision has that time already.
func (h *head) next(clock time.Time) {
	h.revision++
	h.committedAt = max(clock.UnixMicro(), h.committedAt+1)
}

// perform makes a write for a caller. One that fails uses up no revision.
func (u *unit) perform(caller context.Context, run func(*transaction) error) (tx *transaction, err error) {
	before := u.head
	tx = &transaction{unit: u, caller: caller}
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
		if err != nil {
			u.head = before
			tx.touched = tx.touched || !refused(err)
		}
	}()
	return tx, run(tx)
}

// refused reports whether a write ended in the domain's error, or in a fault of
// ours, rather than in one of the engine's, which can end the whole unit.
func refused(err error) bool {
	if _, ok := errors.AsType[*panicked](err); ok {
		return true
	}
	_, ok := errors.AsType[*conf.Error](err)
	return ok
}

// settle lets the engine have the head, and all that waited to be sent.
func (u *unit) settle() error {
	h := u.head
	_, err := u.ExecContext(u.ctx, `
		UPDATE store SET revision = $1, committed_at = $2, applications = $3, configurations = $4, changes = $5`,
		h.revision, h.committedAt, h.applications, h.configurations, h.changes)
	return err
}

// commit keeps what the unit's writes have changed, once it is settled.
func (u *unit) commit() error {
	if err := u.Commit(); err != nil {
		return commitFailed(err)
	}
	u.recent.keep(u.head)
	return nil
}
