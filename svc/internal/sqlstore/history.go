package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"configservice/svc/internal/conf"
)

const selectVersion = `SELECT version, revision, name, comments, config, changed_by, changed_at FROM changes `

func scanVersion(row scanner) (conf.Version, error) {
	var v conf.Version
	var config string
	var changed int64
	err := row.Scan(&v.Version, &v.Revision, &v.Name, &v.Comments, &config, &v.ChangedBy, &changed)
	v.Config, v.CreatedAt = []byte(config), fromMicros(changed)
	return v, err
}

// The changes of a configuration are its versions, one each, the first gone once the
// audit no longer needs them. Those whose config is kept are the newest, without
// a gap, since what is older is forgotten first. So versions are counted off
// from the newest in the index of revisions alone.

// Versions implements [conf.Store].
func (s *Store) Versions(ctx context.Context, id string, w conf.Window) (conf.Page[conf.Version], error) {
	var page conf.Page[conf.Version]
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		c, err := getConfiguration(ctx, q, id)
		if err != nil {
			return err
		}
		total, err := countVersions(ctx, q, id, c.Version)
		if err != nil {
			return err
		}
		l := listing{query: selectVersion, table: "changes", id: "revision", condition: "configuration_id = $3"}
		rows, err := q.QueryContext(ctx, l.text(true), max(min(w.Limit, total-w.Offset), 0), w.Offset, id)
		items, err := collect(rows, err, scanVersion)
		page = conf.NewPage(items, total, w)
		return err
	})
	return page, err
}

// countVersions returns how many versions are kept of a configuration that is
// at version current.
func countVersions(ctx context.Context, q querier, id string, current int64) (total int, err error) {
	var oldest int64
	err = q.QueryRowContext(ctx, `
		SELECT version FROM changes WHERE configuration_id = $1 AND config IS NOT NULL ORDER BY revision LIMIT 1`, id).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return int(current - oldest + 1), err
}

// Version implements [conf.Store].
func (s *Store) Version(ctx context.Context, id string, version int64) (conf.Version, error) {
	var v conf.Version
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		c, err := getConfiguration(ctx, q, id)
		if err != nil {
			return err
		}
		v, err = getVersion(ctx, q, id, version, c.Version)
		return err
	})
	return v, err
}

// getVersion returns a version of a configuration that is at version current.
func getVersion(ctx context.Context, q querier, id string, version, current int64) (conf.Version, error) {
	v, err := scanVersion(q.QueryRowContext(ctx, selectVersion+`
		WHERE configuration_id = $1 AND version = $2 AND config IS NOT NULL AND revision = (
			SELECT revision FROM changes WHERE configuration_id = $1 ORDER BY revision DESC LIMIT 1 OFFSET $3)`,
		id, version, max(current-version, 0)))
	if errors.Is(err, sql.ErrNoRows) {
		return v, conf.Errorf(conf.NotFound, "the configuration %s has no version %d, or it is no longer kept", id, version)
	}
	return v, err
}

// RollbackConfiguration implements [conf.Store].
func (s *Store) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return s.changeConfiguration(ctx, id, conf.Rollback, func(tx *transaction, c *conf.Configuration) error {
		current := c.Version
		if err := check(c); err != nil {
			return err
		}
		v, err := getVersion(tx.ctx, tx, id, version, current)
		c.Name, c.Comments, c.Config = v.Name, v.Comments, v.Config
		return err
	})
}

// ConfigurationAt implements [conf.Store].
func (s *Store) ConfigurationAt(ctx context.Context, id string, at conf.Point) (conf.Configuration, error) {
	return s.configurationAt(ctx, at, func(context.Context, querier, int64) (string, error) { return id, nil })
}

// ConfigurationByNameAt implements [conf.Store].
func (s *Store) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	return s.configurationAt(ctx, at, func(ctx context.Context, q querier, revision int64) (string, error) {
		return findByNameAt(ctx, q, application, name, revision)
	})
}

// findByNameAt returns the id of what had these names at revision: had them
// last, and nothing since, a delete included, took them away. Of what has ever
// had the configuration's name, one at most has it by its last change until then.
func findByNameAt(ctx context.Context, q querier, application, name string, revision int64) (id string, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT n.configuration_id FROM changes a
			JOIN names n ON n.application_id = a.application_id AND n.name = $2
			JOIN changes c ON c.configuration_id = n.configuration_id AND c.revision = (
				SELECT max(l.revision) FROM changes l WHERE l.configuration_id = n.configuration_id AND l.revision <= $3)
		WHERE a.configuration_id IS NULL AND a.name = $1 AND a.revision <= $3 AND a.operation <> 'delete'
			AND c.name = $2 AND c.operation <> 'delete'
			AND NOT EXISTS (SELECT 1 FROM changes l WHERE l.configuration_id IS NULL
				AND l.application_id = a.application_id AND l.revision > a.revision AND l.revision <= $3)`,
		application, name, revision).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", conf.Errorf(conf.NotFound, "at revision %d no application named %q had a configuration named %q, or that is no longer kept",
			revision, application, name)
	}
	return id, err
}

func (s *Store) configurationAt(ctx context.Context, at conf.Point, find func(context.Context, querier, int64) (string, error)) (conf.Configuration, error) {
	var c conf.Configuration
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		revision, err := revisionAt(ctx, q, at)
		if err != nil {
			return err
		}
		id, err := find(ctx, q, revision)
		if err != nil {
			return err
		}
		c, err = getConfigurationAt(ctx, q, id, revision)
		return err
	})
	return c, err
}

// revisionAt returns the last revision that had been committed at a point.
func revisionAt(ctx context.Context, q querier, at conf.Point) (revision int64, err error) {
	var st conf.Stats
	if err := scanStats(ctx, q, &st); err != nil {
		return 0, err
	}
	if at.Revision > st.Revision || at.Revision == 0 && at.Time.After(time.Now()) {
		return 0, conf.InvalidFields([]conf.FieldError{{Pointer: "/at", Detail: "has not come yet"}})
	}
	if at.Revision > 0 {
		return at.Revision, nil
	}
	// Times follow revisions, so the last by time is the last by revision.
	err = q.QueryRowContext(ctx, `
		SELECT coalesce((SELECT revision FROM changes WHERE changed_at <= $1 ORDER BY changed_at DESC LIMIT 1), 0)`,
		at.Time.UnixMicro()).Scan(&revision)
	return revision, err
}

func getConfigurationAt(ctx context.Context, q querier, id string, revision int64) (conf.Configuration, error) {
	c, err := scanConfiguration(q.QueryRowContext(ctx, `
		SELECT configuration_id, application_id, name, comments, coalesce(config, ''), version, revision, created_at, changed_at
		FROM changes WHERE configuration_id = $1 AND revision <= $2 ORDER BY revision DESC LIMIT 1`, id, revision))
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(c.Config) == 0 {
		return conf.Configuration{}, conf.Errorf(conf.NotFound, "at revision %d no configuration had the id %s, or that is no longer kept", revision, id)
	}
	return c, err
}

// Changes implements [conf.Store].
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]conf.Transaction, error) {
	var txs []conf.Transaction
	err := s.query(ctx, func(ctx context.Context, q querier) error {
		// Revisions have no gaps, so the limit bounds them. A statement sees one
		// state, so if it finds any changes then those are all.
		rows, err := q.QueryContext(ctx, `
			SELECT revision, operation, application_id, configuration_id, version, name, comments, config, changed_by, created_at, changed_at
			FROM changes WHERE revision > $1 AND revision <= $2 AND (SELECT pruned FROM store) <= $1
			ORDER BY revision, ordinal`, after, after+int64(limit))
		if txs, err = collectTransactions(rows, err); err != nil || len(txs) > 0 {
			return err
		}
		return keptAfter(ctx, q, after)
	})
	return txs, err
}

// keptAfter returns an error when changes after a revision have been pruned.
func keptAfter(ctx context.Context, q querier, after int64) error {
	var pruned int64
	err := q.QueryRowContext(ctx, `SELECT pruned FROM store`).Scan(&pruned)
	if err == nil && after < pruned {
		return conf.Errorf(conf.Compacted, "the changes after revision %d are no longer all kept, only those after %d", after, pruned)
	}
	return err
}

func collectTransactions(rows *sql.Rows, err error) ([]conf.Transaction, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var txs []conf.Transaction
	for rows.Next() {
		revision, change, err := scanChange(rows)
		if err != nil {
			return nil, err
		}
		if n := len(txs); n == 0 || txs[n-1].Revision != revision {
			txs = append(txs, conf.Transaction{Revision: revision})
		}
		last := &txs[len(txs)-1]
		last.Changes = append(last.Changes, change)
	}
	return txs, rows.Err()
}

func scanChange(row scanner) (revision int64, c conf.Change, err error) {
	var configurationID, config sql.NullString
	var version sql.NullInt64
	var created, changed int64
	err = row.Scan(&revision, &c.Operation, &c.ApplicationID, &configurationID, &version,
		&c.Name, &c.Comments, &config, &c.ChangedBy, &created, &changed)
	c.ConfigurationID, c.Version = configurationID.String, version.Int64
	if config.Valid {
		c.Config = []byte(config.String)
	}
	c.CreatedAt, c.UpdatedAt = fromMicros(created), fromMicros(changed)
	return revision, c, err
}
