package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"configservice/svc/internal/conf"
)

const selectConfiguration = `
SELECT c.id, c.application_id, c.name, c.comments, c.config, c.version, c.revision, c.created_at, c.updated_at
FROM configurations c `

func scanConfiguration(row scanner) (conf.Configuration, error) {
	var c conf.Configuration
	var config string
	var created, updated int64
	err := row.Scan(&c.ID, &c.ApplicationID, &c.Name, &c.Comments, &config, &c.Version, &c.Revision, &created, &updated)
	c.Config, c.CreatedAt, c.UpdatedAt = []byte(config), fromMicros(created), fromMicros(updated)
	return c, err
}

// CreateConfiguration implements [conf.Store].
func (s *Store) CreateConfiguration(ctx context.Context, c conf.Configuration) (conf.Configuration, error) {
	if err := c.Validate(); err != nil {
		return conf.Configuration{}, err
	}
	err := s.write(ctx, func(tx *transaction) (err error) {
		if c.ID, err = tx.newID(); err != nil {
			return err
		}
		c.Version, c.Revision, c.CreatedAt, c.UpdatedAt = 1, tx.revision, tx.now, tx.now
		return tx.insertConfiguration(c)
	})
	if err != nil {
		return conf.Configuration{}, err
	}
	return c, nil
}

func (tx *transaction) insertConfiguration(c conf.Configuration) error {
	known, err := tx.touchApplication(c.ApplicationID)
	if err != nil {
		return err
	}
	if !known {
		return conf.Errorf(conf.UnknownApplication, "no application has the id %s", c.ApplicationID)
	}
	err = tx.exec(`
		INSERT INTO configurations (id, application_id, name, comments, config, version, revision, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		c.ID, c.ApplicationID, c.Name, c.Comments, string(c.Config), c.Version, c.Revision, c.CreatedAt.UnixMicro())
	if err != nil {
		return configurationNameTaken(err, c.Name)
	}
	tx.head.configurations++
	if err := tx.configurationNamed(c); err != nil {
		return err
	}
	return tx.configurationChanged(conf.Create, c, 0)
}

// configurationNamed notes that c has a name that it did not have before.
func (tx *transaction) configurationNamed(c conf.Configuration) error {
	return tx.exec(`INSERT INTO names (application_id, name, configuration_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		c.ApplicationID, c.Name, c.ID)
}

// touchApplication gives the application this transaction's revision, since
// its set of configurations changes, and reports whether there is one.
func (tx *transaction) touchApplication(id string) (bool, error) {
	n, err := tx.affect(`UPDATE applications SET revision = $1 WHERE id = $2`, tx.revision, id)
	return n == 1, err
}

// Configuration implements [conf.Store].
func (s *Store) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	var c conf.Configuration
	err := s.query(ctx, func(ctx context.Context, q querier) (err error) {
		c, err = getConfiguration(ctx, q, id)
		return err
	})
	return c, err
}

func getConfiguration(ctx context.Context, q querier, id string) (conf.Configuration, error) {
	c, err := scanConfiguration(q.QueryRowContext(ctx, selectConfiguration+`WHERE c.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return conf.Configuration{}, conf.Errorf(conf.NotFound, "no configuration has the id %s", id)
	}
	return c, err
}

// ConfigurationByName implements [conf.Store].
func (s *Store) ConfigurationByName(ctx context.Context, application, name string) (conf.Configuration, error) {
	var c conf.Configuration
	err := s.query(ctx, func(ctx context.Context, q querier) (err error) {
		c, err = scanConfiguration(q.QueryRowContext(ctx,
			selectConfiguration+`JOIN applications a ON a.id = c.application_id WHERE a.name = $1 AND c.name = $2`,
			application, name))
		if errors.Is(err, sql.ErrNoRows) {
			return conf.Errorf(conf.NotFound, "no application named %q has a configuration named %q", application, name)
		}
		return err
	})
	return c, err
}

// Configurations implements [conf.Store].
func (s *Store) Configurations(ctx context.Context, q conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	var page conf.Page[conf.Configuration]
	err := s.view(ctx, func(ctx context.Context, tx querier) error {
		total, err := countConfigurations(ctx, tx, q)
		if err != nil {
			return err
		}
		items, err := listConfigurations(ctx, tx, q, total)
		page = conf.NewPage(items, total, q.Window)
		return err
	})
	return page, err
}

// countConfigurations returns how many a query selects.
func countConfigurations(ctx context.Context, q querier, query conf.ConfigurationQuery) (total int, err error) {
	if query.Owners != nil {
		condition, args := oneOf("application_id", query.Owners, 1)
		err = q.QueryRowContext(ctx, `SELECT count(*) FROM configurations WHERE `+condition, args...).Scan(&total)
		return total, err
	}
	if query.ApplicationID == "" {
		var st conf.Stats
		err := scanStats(ctx, q, &st)
		return int(st.Configurations), err
	}
	// Grouped, so that an unknown application yields no row instead of a zero.
	err = q.QueryRowContext(ctx, `
		SELECT count(c.id) FROM applications a LEFT JOIN configurations c ON c.application_id = a.id
		WHERE a.id = $1 GROUP BY a.id`, query.ApplicationID).Scan(&total)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, conf.Errorf(conf.NotFound, "no application has the id %s", query.ApplicationID)
	}
	return total, err
}

func listConfigurations(ctx context.Context, q querier, query conf.ConfigurationQuery, total int) ([]conf.Configuration, error) {
	l := listing{query: selectConfiguration, table: "configurations c", id: "c.id", condition: "TRUE"}
	switch {
	case query.Owners != nil:
		l.condition, l.args = oneOf("c.application_id", query.Owners, 3)
	case query.ApplicationID != "":
		l.condition, l.args = "c.application_id = $3", []any{query.ApplicationID}
	}
	return list(ctx, q, l, stretchOf(query.Window, total), scanConfiguration)
}

// UpdateConfiguration implements [conf.Store].
func (s *Store) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return s.changeConfiguration(ctx, id, conf.Update, func(_ *transaction, c *conf.Configuration) error {
		return edit(c)
	})
}

// changeConfiguration makes the next version of a configuration from what
// change leaves of its name, comments and config.
func (s *Store) changeConfiguration(ctx context.Context, id, operation string,
	change func(*transaction, *conf.Configuration) error) (conf.Configuration, error) {
	var c conf.Configuration
	err := s.write(ctx, func(tx *transaction) error {
		old, err := tx.configuration(id)
		if err != nil {
			return err
		}
		changed := old
		if err := change(tx, &changed); err != nil {
			return err
		}
		c = old
		c.Name, c.Comments, c.Config = changed.Name, changed.Comments, changed.Config
		c.Version, c.Revision, c.UpdatedAt = old.Version+1, tx.revision, tx.now
		if err := c.Validate(); err != nil {
			return err
		}
		if c.Name != old.Name {
			if err := tx.renameConfiguration(c); err != nil {
				return err
			}
		}
		return tx.updateConfiguration(operation, c, old.Revision)
	})
	if err != nil {
		return conf.Configuration{}, err
	}
	return c, nil
}

// renameConfiguration is for a name that has changed: SQLite writes the index of
// names anew whenever a statement sets a name, be it the same.
func (tx *transaction) renameConfiguration(c conf.Configuration) error {
	err := tx.exec(`UPDATE configurations SET name = $1 WHERE id = $2`, c.Name, c.ID)
	if err != nil {
		return configurationNameTaken(err, c.Name)
	}
	return tx.configurationNamed(c)
}

// updateConfiguration sets all but the name.
func (tx *transaction) updateConfiguration(operation string, c conf.Configuration, previous int64) error {
	err := tx.exec(`UPDATE configurations SET comments = $1, config = $2, version = $3, revision = $4, updated_at = $5 WHERE id = $6`,
		c.Comments, string(c.Config), c.Version, c.Revision, c.UpdatedAt.UnixMicro(), c.ID)
	if err != nil {
		return err
	}
	return tx.configurationChanged(operation, c, previous)
}

// DeleteConfiguration implements [conf.Store].
func (s *Store) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	var revision int64
	err := s.write(ctx, func(tx *transaction) error {
		c, err := tx.configuration(id)
		if err != nil {
			return err
		}
		seen := c
		if err := check(&seen); err != nil {
			return err
		}
		revision = tx.revision
		return tx.deleteConfiguration(c)
	})
	return revision, err
}

func (tx *transaction) deleteConfiguration(c conf.Configuration) error {
	if _, err := tx.touchApplication(c.ApplicationID); err != nil {
		return err
	}
	if err := tx.exec(`DELETE FROM configurations WHERE id = $1`, c.ID); err != nil {
		return err
	}
	tx.head.configurations--
	return tx.configurationChanged(conf.Delete, c, c.Revision)
}

func configurationNameTaken(err error, name string) error {
	if isUniqueViolation(err) {
		return conf.Errorf(conf.Exists, "a configuration named %q already exists in this application", name)
	}
	return err
}
