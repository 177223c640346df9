package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"configservice/svc/internal/conf"
)

const versionColumns = `c.version, c.revision, c.name, c.comments, c.config, c.changed_by, c.changed_at`

func scanVersion(row scanner) (conf.Version, error) {
	var v conf.Version
	var config string
	var changed int64
	err := row.Scan(&v.Version, &v.Revision, &v.Name, &v.Comments, &config, &v.ChangedBy, &changed)
	v.Config, v.CreatedAt = []byte(config), fromMicros(changed)
	return v, err
}

// Versions implements [conf.Store].
func (s *Store) Versions(ctx context.Context, id string, w conf.Window) (conf.Page[conf.Version], error) {
	var page conf.Page[conf.Version]
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		c, err := getConfiguration(ctx, q, id)
		if err != nil {
			return err
		}
		total, err := countVersions(ctx, q, c)
		if err != nil {
			return err
		}
		first := c.Version - int64(w.Offset)
		last := max(first-int64(w.Limit), c.Version-int64(total)) + 1
		items, err := listVersions(ctx, q, c, first, last)
		page = conf.NewPage(items, total, w)
		return err
	})
	return page, err
}

// countVersions returns how many versions of a configuration are kept: the
// newest, without a gap, since what is older is forgotten first.
func countVersions(ctx context.Context, q querier, c conf.Configuration) (total int, err error) {
	from, err := oldestKept(ctx, q, c.ID)
	if err != nil {
		return 0, ifAny(err)
	}
	var oldest sql.NullInt64
	err = q.QueryRowContext(ctx, walk(`c.config IS NOT NULL`, `min(c.version)`, `c.config IS NOT NULL`),
		c.ID, from.revision, from.ordinal).Scan(&oldest)
	if !oldest.Valid {
		return 0, err
	}
	return int(c.Version - oldest.Int64 + 1), err
}

// ifAny returns err unless it tells that there are no rows.
func ifAny(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// listVersions returns the versions of a configuration from first down to last
// that are kept.
func listVersions(ctx context.Context, q querier, c conf.Configuration, first, last int64) ([]conf.Version, error) {
	if first < last || first > c.Version {
		return []conf.Version{}, nil
	}
	from, err := notBelow(ctx, q, c.ID, first, c.Version)
	if err != nil {
		return []conf.Version{}, ifAny(err)
	}
	rows, err := q.QueryContext(ctx, walk(`w.version > $5`, versionColumns, `w.version <= $4 AND c.config IS NOT NULL ORDER BY w.version DESC`),
		c.ID, from.revision, from.ordinal, first, last)
	return collect(rows, err, scanVersion)
}

// Version implements [conf.Store].
func (s *Store) Version(ctx context.Context, id string, version int64) (conf.Version, error) {
	var v conf.Version
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		c, err := getConfiguration(ctx, q, id)
		if err != nil {
			return err
		}
		v, err = getVersion(ctx, q, c, version)
		return err
	})
	return v, err
}

func getVersion(ctx context.Context, q querier, c conf.Configuration, version int64) (conf.Version, error) {
	found, err := listVersions(ctx, q, c, version, version)
	if err == nil && len(found) == 0 {
		err = conf.Errorf(conf.NotFound, "the configuration %s has no version %d, or it is no longer kept", c.ID, version)
	}
	if err != nil {
		return conf.Version{}, err
	}
	return found[0], nil
}

// RollbackConfiguration implements [conf.Store].
func (s *Store) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return s.changeConfiguration(ctx, id, conf.Rollback, func(tx *transaction, c *conf.Configuration) error {
		current := *c
		if err := check(c); err != nil {
			return err
		}
		v, err := getVersion(tx.ctx, tx, current, version)
		c.Name, c.Comments, c.Config = v.Name, v.Comments, v.Config
		return err
	})
}

// ConfigurationAt implements [conf.Store].
func (s *Store) ConfigurationAt(ctx context.Context, id string, at conf.Point) (conf.Configuration, error) {
	return s.configurationAt(ctx, at, func(ctx context.Context, q querier, revision int64) (conf.Configuration, error) {
		return getConfigurationAt(ctx, q, id, revision)
	})
}

// ConfigurationByNameAt implements [conf.Store].
func (s *Store) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	return s.configurationAt(ctx, at, func(ctx context.Context, q querier, revision int64) (conf.Configuration, error) {
		return getByNameAt(ctx, q, application, name, revision)
	})
}

// getByNameAt returns what had these names at revision: of what has ever had the
// configuration's name, one at most had it then.
func getByNameAt(ctx context.Context, q querier, application, name string, revision int64) (conf.Configuration, error) {
	ids, err := haveHadName(ctx, q, application, name, revision)
	if err != nil {
		return conf.Configuration{}, err
	}
	for _, id := range ids {
		c, err := getConfigurationAt(ctx, q, id, revision)
		if err == nil && c.Name == name || err != nil && conf.CodeOf(err) != conf.NotFound {
			return c, err
		}
	}
	return conf.Configuration{}, conf.Errorf(conf.NotFound,
		"at revision %d no application named %q had a configuration named %q, or that is no longer kept", revision, application, name)
}

// haveHadName returns what has ever had a name in the application that had its
// name at revision: had it last, and nothing since, a delete included, took it
// away.
func haveHadName(ctx context.Context, q querier, application, name string, revision int64) ([]string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT n.configuration_id FROM changes a JOIN names n ON n.application_id = a.application_id AND n.name = $2
		WHERE a.configuration_id IS NULL AND a.name = $1 AND a.revision <= $3 AND a.operation <> 'delete'
			AND NOT EXISTS (SELECT 1 FROM changes l WHERE l.configuration_id IS NULL
				AND l.application_id = a.application_id AND l.revision > a.revision AND l.revision <= $3)`,
		application, name, revision)
	return collect(rows, err, func(row scanner) (id string, err error) { return id, row.Scan(&id) })
}

func (s *Store) configurationAt(ctx context.Context, at conf.Point, get func(context.Context, querier, int64) (conf.Configuration, error)) (conf.Configuration, error) {
	var c conf.Configuration
	err := s.view(ctx, func(ctx context.Context, q querier) error {
		revision, err := revisionAt(ctx, q, at)
		if err != nil {
			return err
		}
		c, err = get(ctx, q, revision)
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
	from, err := notBefore(ctx, q, id, revision)
	var c conf.Configuration
	if err == nil {
		c, err = scanConfiguration(q.QueryRowContext(ctx, walk(`w.revision > $4`, `c.configuration_id, c.application_id, c.name, c.comments,
			coalesce(c.config, ''), c.version, c.revision, c.created_at, c.changed_at`, `w.revision <= $4`), id, from.revision, from.ordinal, revision))
	}
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
