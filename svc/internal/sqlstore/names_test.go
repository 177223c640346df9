package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// A store of an older schema must be found what it had by names that are gone.
func TestNamesOfAnOlderStoreAreFound(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "store.db")
		old, err := sqliteStore(path, Options{MaxConnections: 1, Observer: nobody{}})
		must(t, err)
		fillOlder(t, old.writer.db, sqliteDialect())
		must(t, old.Close())
		wantNamesFound(t, open(t, path, Options{}))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.Database(t)
		db := admin(t, url)
		sqlExec(t, db, `CREATE SCHEMA `+defaultSchema)
		fillOlder(t, db, postgresDialect())
		wantNamesFound(t, openURL(t, url, Options{}))
	})
}

// fillOlder makes a store of the schema before names had a table: a
// configuration that was renamed, and one that took its name and is gone.
func fillOlder(t *testing.T, db *sql.DB, d dialect) {
	t.Helper()
	files, err := fs.Sub(migrations, d.migrations)
	must(t, err)
	p, err := goose.NewProvider(d.goose, db, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	must(t, err)
	_, err = p.UpTo(t.Context(), 3)
	must(t, err)
	for _, statement := range []string{
		`INSERT INTO applications (id, name, revision, created_at, updated_at) VALUES ('A', 'shop', 5, 1, 1)`,
		`INSERT INTO configurations (id, application_id, name, config, version, revision, created_at, updated_at)
			VALUES ('C', 'A', 'new', '{}', 2, 3, 2, 3)`,
		`INSERT INTO changes (revision, ordinal, operation, application_id, configuration_id, version, name, config, created_at, changed_at) VALUES
			(1, 0, 'create', 'A', NULL, NULL, 'shop', NULL, 1, 1),
			(2, 0, 'create', 'A', 'C', 1, 'old', '{}', 2, 2),
			(3, 0, 'update', 'A', 'C', 2, 'new', '{}', 2, 3),
			(4, 0, 'create', 'A', 'D', 1, 'old', '{}', 4, 4),
			(5, 0, 'delete', 'A', 'D', 2, 'old', NULL, 4, 5),
			(6, 0, 'delete', 'A', 'E', 9, 'pruned', NULL, 1, 6)`,
		`UPDATE store SET revision = 6, committed_at = 6, applications = 1, configurations = 1, changes = 6`,
	} {
		sqlExec(t, db, statement)
	}
}

func wantNamesFound(t *testing.T, s *Store) {
	t.Helper()
	for _, want := range []struct {
		name     string
		revision int64
		id       string
	}{{"old", 1, ""}, {"old", 2, "C"}, {"old", 3, ""}, {"new", 3, "C"}, {"old", 4, "D"}, {"old", 5, ""}, {"new", 5, "C"}} {
		c, err := s.ConfigurationByNameAt(t.Context(), "shop", want.name, conf.Point{Revision: want.revision})
		if c.ID != want.id || want.id == "" && conf.CodeOf(err) != conf.NotFound {
			t.Errorf("%s at %d is %q (%v), want %q", want.name, want.revision, c.ID, err, want.id)
		}
	}
}

// A name must not outlive the history of what had it, nor go before.
func TestNamesAreForgottenWithTheHistoryOfWhatHadThem(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "shop")
		create := func(name string) conf.Configuration {
			created, err := c.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: name, Config: []byte(`{}`)})
			must(t, err)
			return created
		}
		rename := func(id, name string) {
			_, err := c.UpdateConfiguration(t.Context(), id, func(c *conf.Configuration) error { c.Name = name; return nil })
			must(t, err)
		}
		renamed, gone := create("first"), create("gone")
		rename(renamed.ID, "second")
		rename(renamed.ID, "third")
		rename(renamed.ID, "second")
		_, err := c.DeleteConfiguration(t.Context(), gone.ID, func(*conf.Configuration) error { return nil })
		must(t, err)
		wantNames(t, c.Store, "first", "gone", "second", "third")
		must(t, c.Prune(t.Context(), conf.Retention{Versions: 2, Audit: time.Hour}))
		wantNames(t, c.Store, "first", "gone", "second", "third") // the audit still tells of them
		must(t, c.Prune(t.Context(), conf.Retention{Versions: 2}))
		wantNames(t, c.Store, "first", "second", "third")
	})
}

func wantNames(t *testing.T, s *Store, want ...string) {
	t.Helper()
	var got []string
	err := s.query(t.Context(), func(ctx context.Context, q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT name FROM names ORDER BY name`)
		got, err = collect(rows, err, func(row scanner) (name string, err error) { return name, row.Scan(&name) })
		return err
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("names (%v, -want +got)\n%s", err, diff)
	}
}
