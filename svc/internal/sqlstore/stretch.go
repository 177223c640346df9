package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"configservice/svc/internal/conf"
)

// A stretch is a part of a list that is in the order of ids. It is counted off
// from the nearer end of the list, and in an index alone: the first id is
// looked for, and no row is read before that.
type stretch struct {
	limit, offset int
	backwards     bool
}

// stretchOf returns the stretch that w shows of a list of total.
func stretchOf(w conf.Window, total int) stretch {
	behind := total - w.Offset - w.Limit // so many come after it
	switch {
	case w.Offset >= total:
		return stretch{}
	case w.Offset <= behind:
		return stretch{limit: w.Limit, offset: w.Offset}
	}
	return stretch{limit: min(w.Limit, total-w.Offset), offset: max(behind, 0), backwards: true}
}

// A listing is the query of a list.
type listing struct {
	query     string // up to its WHERE
	table, id string
	condition string // its parameters count from 3
	args      []any
}

// text returns the query of a stretch whose limit and offset are the first two
// parameters.
func (l listing) text(backwards bool) string {
	compare, order := ">=", "ASC"
	if backwards {
		compare, order = "<=", "DESC"
	}
	return fmt.Sprintf(`%[1]s WHERE %[4]s AND %[3]s %[5]s (SELECT %[3]s FROM %[2]s WHERE %[4]s ORDER BY %[3]s %[6]s LIMIT 1 OFFSET $2)
		ORDER BY %[3]s %[6]s LIMIT $1`, l.query, l.table, l.id, l.condition, compare, order)
}

// list returns the stretch s of what l finds.
func list[T any](ctx context.Context, q querier, l listing, s stretch, scan func(scanner) (T, error)) ([]T, error) {
	rows, err := q.QueryContext(ctx, l.text(s.backwards), append([]any{s.limit, s.offset}, l.args...)...)
	items, err := collect(rows, err, scan)
	if s.backwards {
		slices.Reverse(items)
	}
	return items, err
}
