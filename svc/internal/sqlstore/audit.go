package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"configservice/svc/internal/conf"
)

// Audit implements [conf.Store].
func (s *Store) Audit(ctx context.Context, q conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	page := conf.NewPage([]conf.AuditEntry{}, 0, q.Window)
	err := s.view(ctx, func(ctx context.Context, tx querier) error {
		of, args, err := auditFilter(ctx, tx, q)
		if err != nil {
			return ifAny(err)
		}
		count := of(`count(*)`)
		if len(args) == 0 {
			count = `SELECT changes FROM store`
		}
		var total int
		if err := tx.QueryRowContext(ctx, count, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, of(auditColumns)+fmt.Sprintf(
			` ORDER BY c.revision DESC, c.ordinal DESC LIMIT %d OFFSET %d`, q.Limit, q.Offset), args...)
		items, err := collect(rows, err, scanAuditEntry)
		page = conf.NewPage(items, total, q.Window)
		return err
	})
	return page, err
}

// auditFilter returns the query of what q selects, given what to select of it,
// and its arguments. The error is [sql.ErrNoRows] when there is nothing.
func auditFilter(ctx context.Context, tx querier, q conf.AuditQuery) (of func(selected string) string, args []any, err error) {
	conditions := []string{"TRUE"}
	of = func(selected string) string {
		return `SELECT ` + selected + ` FROM changes c WHERE ` + strings.Join(conditions, " AND ")
	}
	if q.ConfigurationID != "" {
		id := findable(q.ConfigurationID)
		from, err := newest(ctx, tx, id)
		if err != nil {
			return nil, nil, err
		}
		args = []any{id, from.revision, from.ordinal}
		of = func(selected string) string { return walk("TRUE", selected, strings.Join(conditions, " AND ")) }
	}
	for _, f := range []struct{ column, value string }{
		{"application_id", q.ApplicationID},
		{"changed_by", q.ChangedBy},
	} {
		if f.value != "" {
			args = append(args, findable(f.value))
			conditions = append(conditions, fmt.Sprintf("c.%s = $%d", f.column, len(args)))
		}
	}
	return of, args, nil
}

const auditColumns = `c.revision, c.changed_at, c.changed_by, c.changed_from, c.operation, c.application_id, c.configuration_id, c.name, c.version`

func scanAuditEntry(row scanner) (conf.AuditEntry, error) {
	var e conf.AuditEntry
	var changed int64
	err := row.Scan(&e.Revision, &changed, &e.ChangedBy, &e.ChangedFrom, &e.Operation,
		&e.ApplicationID, &e.ConfigurationID, &e.Name, &e.Version)
	e.Time = fromMicros(changed)
	return e, err
}

// pruneBatch bounds how long pruning keeps the writers waiting.
const pruneBatch = 500

// Prune implements [conf.Store].
func (s *Store) Prune(ctx context.Context, r conf.Retention) error {
	now := time.Now()
	if err := s.pruneVersions(ctx, now.Add(-r.Age), r.Versions); err != nil {
		return err
	}
	return s.pruneAudit(ctx, now.Add(-r.Audit))
}

// A row is a change by its place.
type row struct{ revision, ordinal int64 }

// pruneVersions takes the config from versions that are older than before and
// either not among the last keep or of a configuration that is gone.
func (s *Store) pruneVersions(ctx context.Context, before time.Time, keep int) error {
	const superseded = `
		SELECT c.revision, c.ordinal FROM changes c
		WHERE c.changed_at < $1 AND c.config IS NOT NULL AND (
			NOT EXISTS (SELECT 1 FROM configurations k WHERE k.id = c.configuration_id)
			OR (SELECT k.version FROM configurations k WHERE k.id = c.configuration_id) - c.version >= $2)
		ORDER BY c.revision, c.ordinal LIMIT $3`
	return s.prune(ctx, superseded, []any{before.UnixMicro(), keep, pruneBatch}, 0,
		`UPDATE changes SET config = NULL WHERE revision = $1 AND ordinal = $2`)
}

// pruneAudit drops entries older than before that nothing but the audit needs:
// not the versions that are kept, nor the delete by which they are found, and
// not what tells an application's name.
func (s *Store) pruneAudit(ctx context.Context, before time.Time) error {
	const unneeded = `
		SELECT c.revision, c.ordinal FROM changes c
		WHERE c.changed_at < $1 AND c.config IS NULL
		AND NOT EXISTS (SELECT 1 FROM changes p WHERE p.configuration_id = c.configuration_id AND p.revision = c.previous AND c.operation = 'delete')
		AND (c.configuration_id IS NOT NULL OR c.operation = 'delete' OR EXISTS (SELECT 1 FROM changes n WHERE n.configuration_id IS NULL
				AND n.application_id = c.application_id AND n.revision > c.revision))
		ORDER BY c.revision, c.ordinal LIMIT $2`
	const forgetName = `
		DELETE FROM names WHERE configuration_id = (
			SELECT configuration_id FROM changes WHERE revision = $1 AND ordinal = $2 AND operation = 'delete')`
	return s.prune(ctx, unneeded, []any{before.UnixMicro(), pruneBatch}, -1,
		forgetName, `DELETE FROM changes WHERE revision = $1 AND ordinal = $2`)
}

// prune applies statements, of which the last adjusts the total of changes by so
// many for each, to the rows that query finds, a batch at a time: it looks for
// them as a reader, so that the writers wait for the change alone.
func (s *Store) prune(ctx context.Context, query string, args []any, by int, statements ...string) error {
	for {
		rows, err := s.findRows(ctx, query, args)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := s.changeRows(ctx, statements, by, rows); err != nil {
			return err
		}
	}
}

func (s *Store) findRows(ctx context.Context, query string, args []any) (found []row, err error) {
	err = s.view(ctx, func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, query, args...)
		found, err = collect(rows, err, func(sc scanner) (r row, err error) {
			err = sc.Scan(&r.revision, &r.ordinal)
			return r, err
		})
		return err
	})
	return found, err
}

// changeRows is a transaction without a revision: it changes no resource. It
// notes up to where history is no longer whole.
func (s *Store) changeRows(ctx context.Context, statements []string, by int, rows []row) error {
	return s.transact(ctx, func(tx *transaction) error {
		changed, err := tx.changeEach(statements, rows)
		if err != nil {
			return err
		}
		tx.head.changes += int64(by) * changed
		last := rows[len(rows)-1].revision
		return tx.exec(`UPDATE store SET pruned = $1 WHERE pruned < $1`, last)
	})
}

// changeEach applies statements to each of the rows, and returns to how many the
// last of them did apply: others may prune as well.
func (tx *transaction) changeEach(statements []string, rows []row) (changed int64, err error) {
	for _, r := range rows {
		var n int64
		for _, statement := range statements {
			if n, err = tx.affect(statement, r.revision, r.ordinal); err != nil {
				return 0, err
			}
		}
		changed += n
	}
	return changed, nil
}
