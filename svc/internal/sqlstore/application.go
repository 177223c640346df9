package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"configservice/svc/internal/conf"
)

const selectApplication = `SELECT id, name, comments, revision, created_at, updated_at FROM applications `

type scanner interface{ Scan(dest ...any) error }

func scanApplication(row scanner) (conf.Application, error) {
	var created, updated int64
	a := conf.Application{ConfigurationIDs: []string{}}
	err := row.Scan(&a.ID, &a.Name, &a.Comments, &a.Revision, &created, &updated)
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	return a, err
}

// CreateApplication implements [conf.Store].
func (s *Store) CreateApplication(ctx context.Context, a conf.Application) (conf.Application, error) {
	if err := a.Validate(); err != nil {
		return conf.Application{}, err
	}
	err := s.write(ctx, func(tx *transaction) (err error) {
		if a.ID, err = tx.newID(); err != nil {
			return err
		}
		a.Revision, a.CreatedAt, a.UpdatedAt = tx.revision, tx.now, tx.now
		a.ConfigurationIDs = []string{}
		return tx.insertApplication(a)
	})
	if err != nil {
		return conf.Application{}, err
	}
	return a, nil
}

func (tx *transaction) insertApplication(a conf.Application) error {
	err := tx.exec(`
		INSERT INTO applications (id, name, comments, revision, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $5)`,
		a.ID, a.Name, a.Comments, a.Revision, a.CreatedAt.UnixMicro())
	if err != nil {
		return applicationNameTaken(err, a.Name)
	}
	tx.head.applications++
	return tx.applicationChanged(conf.Create, a)
}

// Application implements [conf.Store].
func (s *Store) Application(ctx context.Context, id string) (conf.Application, error) {
	var a conf.Application
	err := s.view(ctx, func(ctx context.Context, q querier) (err error) {
		a, err = getApplication(ctx, q, id)
		return err
	})
	return a, err
}

func getApplication(ctx context.Context, q querier, id string) (conf.Application, error) {
	a, err := scanApplication(q.QueryRowContext(ctx, selectApplication+`WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return conf.Application{}, conf.Errorf(conf.NotFound, "no application has the id %s", id)
	}
	if err != nil {
		return conf.Application{}, err
	}
	one := []conf.Application{a}
	err = fillConfigurationIDs(ctx, q, one)
	return one[0], err
}

// fillConfigurationIDs completes apps, which are sorted by id with none of the
// store left out between the first and the last.
func fillConfigurationIDs(ctx context.Context, q querier, apps []conf.Application) error {
	if len(apps) == 0 {
		return nil
	}
	rows, err := q.QueryContext(ctx, `
		SELECT application_id, id FROM configurations WHERE application_id BETWEEN $1 AND $2
		ORDER BY application_id, id`, apps[0].ID, apps[len(apps)-1].ID)
	return addConfigurationIDs(rows, err, apps)
}

// addConfigurationIDs adds to apps what they own by rows, which is in order.
func addConfigurationIDs(rows *sql.Rows, err error, apps []conf.Application) error {
	if err != nil {
		return err
	}
	owner := make(map[string]*conf.Application, len(apps))
	for i := range apps {
		owner[apps[i].ID] = &apps[i]
	}
	defer rows.Close()
	for rows.Next() {
		var applicationID, id string
		if err := rows.Scan(&applicationID, &id); err != nil {
			return err
		}
		a := owner[applicationID]
		a.ConfigurationIDs = append(a.ConfigurationIDs, id)
	}
	return rows.Err()
}

// collect scans all rows. The result is never nil.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []T{}
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// Applications implements [conf.Store].
func (s *Store) Applications(ctx context.Context, q conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	var page conf.Page[conf.Application]
	err := s.view(ctx, func(ctx context.Context, tx querier) error {
		if q.IDs != nil {
			return listApplicationsOf(ctx, tx, q, &page)
		}
		items, total, err := listApplications(ctx, tx, q)
		if err != nil {
			return err
		}
		page = conf.NewPage(items, total, q.Window)
		return fillConfigurationIDs(ctx, tx, page.Items)
	})
	return page, err
}

func listApplications(ctx context.Context, q querier, query conf.ApplicationQuery) ([]conf.Application, int, error) {
	if query.Name != "" {
		rows, err := q.QueryContext(ctx, selectApplication+`WHERE name = $1`, findable(query.Name))
		items, err := collect(rows, err, scanApplication)
		total := len(items)
		return items[min(query.Offset, total):], total, err
	}
	var st conf.Stats
	if err := scanStats(ctx, q, &st); err != nil {
		return nil, 0, err
	}
	total := int(st.Applications)
	l := listing{query: selectApplication, table: "applications", id: "id", condition: "TRUE"}
	items, err := list(ctx, q, l, stretchOf(query.Window, total), scanApplication)
	return items, total, err
}

// listApplicationsOf lists those that a query names by id. Other applications
// lie between them, so they are completed one by one.
func listApplicationsOf(ctx context.Context, q querier, query conf.ApplicationQuery, page *conf.Page[conf.Application]) error {
	condition, args := oneOf("id", query.IDs, 1)
	if query.Name != "" {
		args = append(args, findable(query.Name))
		condition += fmt.Sprintf(" AND name = $%d", len(args))
	}
	var total int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM applications WHERE `+condition, args...).Scan(&total); err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, selectApplication+fmt.Sprintf(`WHERE %s ORDER BY id LIMIT %d OFFSET %d`,
		condition, query.Limit, query.Offset), args...)
	items, err := collect(rows, err, scanApplication)
	if err != nil {
		return err
	}
	for i := range items {
		if err := fillConfigurationIDs(ctx, q, items[i:i+1]); err != nil {
			return err
		}
	}
	*page = conf.NewPage(items, total, query.Window)
	return nil
}

// oneOf returns the condition that a column has one of these values, whose
// parameters count from first, and their arguments.
func oneOf(column string, values []string, first int) (condition string, args []any) {
	if len(values) == 0 {
		return "FALSE", nil
	}
	parameters := make([]string, len(values))
	for i, v := range values {
		parameters[i] = fmt.Sprintf("$%d", first+i)
		args = append(args, v)
	}
	return column + " IN (" + strings.Join(parameters, ", ") + ")", args
}

// UpdateApplication implements [conf.Store].
func (s *Store) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	var a conf.Application
	err := s.write(ctx, func(tx *transaction) error {
		old, err := getApplication(tx.ctx, tx, id)
		if err != nil {
			return err
		}
		edited := old
		if err := edit(&edited); err != nil {
			return err
		}
		a = old
		a.Name, a.Comments, a.Revision, a.UpdatedAt = edited.Name, edited.Comments, tx.revision, tx.now
		if err := a.Validate(); err != nil {
			return err
		}
		return tx.updateApplication(a)
	})
	if err != nil {
		return conf.Application{}, err
	}
	return a, nil
}

func (tx *transaction) updateApplication(a conf.Application) error {
	err := tx.exec(`UPDATE applications SET name = $1, comments = $2, revision = $3, updated_at = $4 WHERE id = $5`,
		a.Name, a.Comments, a.Revision, a.UpdatedAt.UnixMicro(), a.ID)
	if err != nil {
		return applicationNameTaken(err, a.Name)
	}
	return tx.applicationChanged(conf.Update, a)
}

// DeleteApplication implements [conf.Store].
func (s *Store) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	var revision int64
	err := s.write(ctx, func(tx *transaction) error {
		a, err := getApplication(tx.ctx, tx, id)
		if err != nil {
			return err
		}
		seen := a
		if err := check(&seen); err != nil {
			return err
		}
		revision = tx.revision
		return tx.deleteApplication(a)
	})
	return revision, err
}

func (tx *transaction) deleteApplication(a conf.Application) error {
	for _, id := range a.ConfigurationIDs {
		c, err := tx.configuration(id)
		if err != nil {
			return err
		}
		if err := tx.configurationChanged(conf.Delete, c, c.Revision); err != nil {
			return err
		}
	}
	if err := tx.exec(`DELETE FROM applications WHERE id = $1`, a.ID); err != nil {
		return err
	}
	tx.head.applications--
	tx.head.configurations -= int64(len(a.ConfigurationIDs))
	return tx.applicationChanged(conf.Delete, a)
}

func applicationNameTaken(err error, name string) error {
	if isUniqueViolation(err) {
		return conf.Errorf(conf.Exists, "an application named %q already exists", name)
	}
	return err
}
