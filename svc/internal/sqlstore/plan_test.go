package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// maxTouched is how many rows a query may look at; the tables have 1000 and
// more.
const maxTouched = 200

// populate returns statements, known to both engines, that fill a store with
// 1000 applications of 3 configurations of 3 versions.
func populate() []string {
	return []string{
		`INSERT INTO applications (id, name, revision, created_at, updated_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
		SELECT 'A' || i, 'app' || i, i, i, i FROM n`,
		`INSERT INTO configurations (id, application_id, name, config, version, revision, created_at, updated_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
		SELECT a.id || 'C' || i, a.id, 'conf' || i, '{}', 3, 1, 1, 1 FROM applications a, n`,
		`INSERT INTO changes (revision, ordinal, operation, application_id, name, created_at, changed_at)
		SELECT revision, 0, 'create', id, name, created_at, created_at FROM applications`,
		`INSERT INTO changes (revision, ordinal, operation, application_id, configuration_id, version, name, config, created_at, changed_at, previous)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3),
			c AS (SELECT *, row_number() OVER (ORDER BY id) AS place FROM configurations)
		SELECT 1000 + (i - 1) * 3000 + place, 0, 'update', application_id, id, i, name, '{}', 1, 1000 + (i - 1) * 3000 + place,
			CASE i WHEN 1 THEN 0 ELSE 1000 + (i - 2) * 3000 + place END FROM c, n`,
		`UPDATE configurations SET revision = 7000 + p.place FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM configurations) p
		WHERE p.id = configurations.id`,
		`INSERT INTO names SELECT application_id, name, id FROM configurations`,
		`UPDATE store SET revision = 10000, applications = 1000, configurations = 3000`,
		`ANALYZE`,
	}
}

// readEverything makes each kind of read that must not cost more as the store
// grows.
func readEverything(t *testing.T, s *Store) {
	t.Helper()
	ctx, page := t.Context(), conf.Window{Limit: 10, Offset: 10}
	past := []conf.Point{{Revision: 7000}, {Time: fromMicros(5000)}, {Time: fromMicros(2000)}, {Time: fromMicros(9000)}}
	calls := []func() error{
		func() error { _, err := s.Applications(ctx, conf.ApplicationQuery{Window: page}); return err },
		func() error {
			_, err := s.Applications(ctx, conf.ApplicationQuery{Window: page, Name: "app7"})
			return err
		},
		func() error { _, err := s.Application(ctx, "A7"); return err },
		func() error { _, err := s.Configurations(ctx, conf.ConfigurationQuery{Window: page}); return err },
		func() error {
			_, err := s.Configurations(ctx, conf.ConfigurationQuery{Window: page, ApplicationID: "A7"})
			return err
		},
		func() error { // near the end, as in the next
			_, err := s.Applications(ctx, conf.ApplicationQuery{Window: conf.Window{Limit: 10, Offset: 980}})
			return err
		},
		func() error {
			_, err := s.Configurations(ctx, conf.ConfigurationQuery{Window: conf.Window{Limit: 10, Offset: 2980}})
			return err
		},
		func() error { _, err := s.Configuration(ctx, "A7C2"); return err },
		func() error { _, err := s.ConfigurationByName(ctx, "app7", "conf2"); return err },
		func() error { _, err := s.Versions(ctx, "A7C2", page); return err },
		func() error { _, err := s.Version(ctx, "A7C2", 2); return err },
		func() error { _, err := s.Changes(ctx, 9000, 100); return err },
		func() error { _, err := s.Changes(ctx, 5, 100); return err },
		func() error { _, err := s.Stats(ctx); return err },
		func() error { _, err := s.Audit(ctx, conf.AuditQuery{Window: page}); return err },
		func() error {
			_, err := s.Audit(ctx, conf.AuditQuery{Window: page, ConfigurationID: "A7C2"})
			return err
		},
	}
	for _, at := range past {
		calls = append(calls,
			func() error { _, err := s.ConfigurationAt(ctx, "A7C2", at); return err },
			func() error { _, err := s.ConfigurationByNameAt(ctx, "app7", "conf2", at); return err })
	}
	for i, call := range calls {
		if err := call(); err != nil && conf.CodeOf(err) != conf.NotFound {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestReadsUseIndexesOnSQLite(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	for _, r := range recordReads(t, s) {
		rows, err := s.reader.db.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+r.query, r.args...)
		plan, err := collect(rows, err, func(row scanner) (step string, err error) {
			var ignored int
			return step, row.Scan(&ignored, &ignored, &ignored, &step)
		})
		if err != nil {
			t.Errorf("%s: %v", r.query, err)
		}
		for i, step := range plan {
			if wholeTable(step) && !ofWalk(step, plan) || countsRows(r.query, plan, i) {
				t.Errorf("%s in\n%s\nof\n%s", step, strings.Join(plan, "\n"), r.query)
			}
		}
	}
}

// wholeTable reports whether a step of SQLite's plan reads all of a table of
// more than one row, or sorts more than those that are equal but for the last
// term.
func wholeTable(step string) bool {
	if strings.HasPrefix(step, "SCAN ") {
		return step != "SCAN store" && step != "SCAN CONSTANT ROW" && !strings.Contains(step, " USING ")
	}
	return strings.Contains(step, "TEMP B-TREE") && !strings.Contains(step, "LAST TERM")
}

// ofWalk reports whether a step goes over what a walk has found, or sorts that.
func ofWalk(step string, plan []string) bool {
	return step == "SCAN w" || strings.Contains(step, "TEMP B-TREE") && slices.Contains(plan, "CO-ROUTINE walk")
}

// countsRows reports whether a step may look at rows to count off those before
// a page or a version: that is to be done in an index alone.
func countsRows(query string, plan []string, step int) bool {
	return strings.Contains(query, "LIMIT 1 OFFSET") && step > 0 && strings.HasPrefix(plan[step-1], "SCALAR SUBQUERY") &&
		!strings.Contains(plan[step], " USING COVERING INDEX ")
}

func TestReadsUseIndexesOnPostgreSQL(t *testing.T) {
	s := openURL(t, pgtest.Database(t), Options{})
	for _, r := range recordReads(t, s) {
		var text string
		err := s.reader.db.QueryRowContext(t.Context(), `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) `+r.query, r.args...).Scan(&text)
		if err != nil {
			t.Errorf("%s: %v", r.query, err)
			continue
		}
		var plans []struct{ Plan planNode }
		if err := json.Unmarshal([]byte(text), &plans); err != nil {
			t.Fatal(err)
		}
		if touched := plans[0].Plan.touched(); touched > maxTouched {
			t.Errorf("looks at %.0f rows:\n%s\n%s", touched, r.query, text)
		}
	}
}

// planNode is what PostgreSQL tells of a step of a plan that it has carried out.
type planNode struct {
	Rows    float64 `json:"Actual Rows"`
	Loops   float64 `json:"Actual Loops"`
	Removed float64 `json:"Rows Removed by Filter"`
	Plans   []planNode
}

// touched returns how many rows the plan took from tables and indexes.
func (n planNode) touched() float64 {
	sum := n.Removed * n.Loops
	if len(n.Plans) == 0 {
		sum += n.Rows * n.Loops
	}
	for _, p := range n.Plans {
		sum += p.touched()
	}
	return sum
}

// recorded is a query as the store sent it.
type recorded struct {
	query string
	args  []any
}

// recordReads populates the store, and returns the queries that its reads send.
func recordReads(t *testing.T, s *Store) []recorded {
	t.Helper()
	for _, statement := range populate() {
		sqlExec(t, s.writer.db, statement)
	}
	r := &recorder{original: s.reader.db}
	s.reader.db = sql.OpenDB(r)
	readEverything(t, s)
	if err := s.reader.db.Close(); err != nil {
		t.Error(err)
	}
	s.reader.db = r.original
	if len(r.queries) < 20 {
		t.Fatalf("only %d queries were seen", len(r.queries))
	}
	return r.queries
}

// A recorder opens connections that note the queries they are sent.
type recorder struct {
	original *sql.DB
	mu       sync.Mutex
	queries  []recorded
}

func (r *recorder) Driver() driver.Driver { return r.original.Driver() }

// Connect takes a connection from the original pool for its own.
func (r *recorder) Connect(ctx context.Context) (driver.Conn, error) {
	held, err := r.original.Conn(ctx)
	if err != nil {
		return nil, err
	}
	conn := &recordingConn{recorder: r, held: held}
	return conn, held.Raw(func(dc any) error { conn.Conn = dc.(driver.Conn); return nil })
}

type recordingConn struct {
	driver.Conn
	recorder *recorder
	held     *sql.Conn
}

func (c *recordingConn) Close() error { return c.held.Close() }

func (c *recordingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// newlines make failures hard to read.
func (c *recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r := recorded{query: regexp.MustCompile(`\s+`).ReplaceAllString(query, " ")}
	for _, a := range args {
		r.args = append(r.args, a.Value)
	}
	c.recorder.mu.Lock()
	c.recorder.queries = append(c.recorder.queries, r)
	c.recorder.mu.Unlock()
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}
