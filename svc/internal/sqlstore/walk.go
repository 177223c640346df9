package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// The changes of a configuration are its versions, one each, the first gone once
// the audit no longer needs them. Each tells the revision of the one before it,
// and only every 16th is in an index, with the delete that ends them: an index
// of all has to write a page of its own for each change of another configuration. So a
// version is looked for from the next one that is in the index, or else from the
// newest, at most 15 steps back.

// sparsely is how many versions there are to one in the index.
const sparsely = 16

// inIndex selects those changes of a configuration, $1, that are in the index.
const inIndex = `SELECT revision, ordinal FROM changes
	WHERE configuration_id = $1 AND (version % 16 = 0 OR operation = 'delete') `

// walk is a query that goes back through the changes of a configuration, $1, from
// the row $2, $3 for as long as a condition on the last, w, and the next, c,
// holds. What follows selects from where it has been.
func walk(condition, selected, where string) string {
	return `
		WITH RECURSIVE walk (revision, ordinal, previous, version) AS (
			SELECT revision, ordinal, previous, version FROM changes WHERE revision = $2 AND ordinal = $3
			UNION ALL
			SELECT c.revision, c.ordinal, c.previous, c.version
			FROM walk w JOIN changes c ON c.revision = w.previous AND c.configuration_id = $1 WHERE ` + condition + `)
		SELECT ` + selected + ` FROM walk w CROSS JOIN changes c WHERE c.revision = w.revision AND c.ordinal = w.ordinal AND ` + where
}

func findRow(ctx context.Context, q querier, query string, args ...any) (r row, err error) {
	err = q.QueryRowContext(ctx, query, args...).Scan(&r.revision, &r.ordinal)
	return r, err
}

// newest returns the last change of a configuration, which may be its delete.
func newest(ctx context.Context, q querier, id string) (row, error) {
	r, err := findRow(ctx, q, `SELECT revision, ordinal FROM changes
		WHERE revision = (SELECT revision FROM configurations WHERE id = $1) AND configuration_id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return findRow(ctx, q, inIndex+`ORDER BY revision DESC LIMIT 1`, id)
	}
	return r, err
}

// orNewest is for what may be newer than all that is in the index.
func orNewest(ctx context.Context, q querier, id string, r row, err error) (row, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return newest(ctx, q, id)
	}
	return r, err
}

// notBefore returns a change of a configuration at a revision or soon after, or
// the newest.
func notBefore(ctx context.Context, q querier, id string, revision int64) (row, error) {
	r, err := findRow(ctx, q, inIndex+`AND revision >= $2 ORDER BY revision LIMIT 1`, id, revision)
	return orNewest(ctx, q, id, r, err)
}

// oldestKept returns one of the oldest changes of a configuration that have
// their config, or the newest.
func oldestKept(ctx context.Context, q querier, id string) (row, error) {
	r, err := findRow(ctx, q, inIndex+`AND config IS NOT NULL ORDER BY revision LIMIT 1`, id)
	return orNewest(ctx, q, id, r, err)
}

// notBelow returns the change that made a version of a configuration, which is at
// version current, or a version soon after.
func notBelow(ctx context.Context, q querier, id string, version, current int64) (row, error) {
	above := current/sparsely - (version+sparsely-1)/sparsely // so many in the index are newer
	if above < 0 {
		return newest(ctx, q, id)
	}
	return findRow(ctx, q, inIndex+`ORDER BY revision DESC LIMIT 1 OFFSET $2`, id, above)
}
