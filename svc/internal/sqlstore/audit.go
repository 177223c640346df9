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
	where, args := auditFilter(q)
	var page conf.Page[conf.AuditEntry]
	err := s.view(ctx, func(ctx context.Context, tx querier) error {
		count := `SELECT count(*) FROM changes ` + where
		if where == "" {
			count = `SELECT changes FROM store`
		}
		var total int
		if err := tx.QueryRowContext(ctx, count, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, fmt.Sprintf(`
			SELECT revision, changed_at, changed_by, changed_from, operation, application_id, configuration_id, name, version
			FROM changes %s ORDER BY revision DESC, ordinal DESC LIMIT %d OFFSET %d`, where, q.Limit, q.Offset), args...)
		items, err := collect(rows, err, scanAuditEntry)
		page = conf.NewPage(items, total, q.Window)
		return err
	})
	return page, err
}

// auditFilter returns the condition that q is, and its arguments.
func auditFilter(q conf.AuditQuery) (where string, args []any) {
	var conditions []string
	for _, f := range []struct{ column, value string }{
		{"application_id", q.ApplicationID},
		{"configuration_id", q.ConfigurationID},
		{"changed_by", q.ChangedBy},
	} {
		if f.value != "" {
			args = append(args, findable(f.value))
			conditions = append(conditions, fmt.Sprintf("%s = $%d", f.column, len(args)))
		}
	}
	if len(conditions) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(conditions, " AND "), args
}

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
			OR (SELECT count(*) FROM changes n WHERE n.configuration_id = c.configuration_id
				AND n.revision > c.revision AND n.config IS NOT NULL) >= $2)
		ORDER BY c.revision, c.ordinal LIMIT $3`
	return s.prune(ctx, superseded, []any{before.UnixMicro(), keep, pruneBatch}, 0,
		`UPDATE changes SET config = NULL WHERE revision = $1 AND ordinal = $2`)
}

// pruneAudit drops entries older than before that nothing but the audit needs:
// not the versions that are kept, and not what tells an application's name.
func (s *Store) pruneAudit(ctx context.Context, before time.Time) error {
	const unneeded = `
		SELECT c.revision, c.ordinal FROM changes c
		WHERE c.changed_at < $1 AND c.config IS NULL AND (c.configuration_id IS NOT NULL OR c.operation = 'delete'
			OR EXISTS (SELECT 1 FROM changes n WHERE n.configuration_id IS NULL
				AND n.application_id = c.application_id AND n.revision > c.revision))
		ORDER BY c.revision, c.ordinal LIMIT $2`
	const forgetName = `
		DELETE FROM names WHERE (application_id, name, configuration_id) = (
			SELECT application_id, name, configuration_id FROM changes WHERE revision = $1 AND ordinal = $2)
		AND NOT EXISTS (SELECT 1 FROM changes o WHERE o.configuration_id = names.configuration_id
			AND o.name = names.name AND o.revision <> $1)`
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
