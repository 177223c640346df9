package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
	"configservice/svc/internal/storetest"
)

func TestStoreConforms(t *testing.T) {
	storetest.Run(t, func(t *testing.T) conf.Store {
		return open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	})
}

func open(t *testing.T, path string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestEveryConnectionHasItsPragmas(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{MaxConnections: 3})
	for range 3 { // all held at once, so that each is a new one
		conn := connection(t, s.reader)
		wantPragma(t, conn, "foreign_keys", 1)
		wantPragma(t, conn, "query_only", 1)
	}
	conn := connection(t, s.writer)
	wantPragma(t, conn, "foreign_keys", 1)
	wantPragma(t, conn, "synchronous", 2) // FULL
	wantPragma(t, conn, "wal_autocheckpoint", checkpointAfter)
}

func connection(t *testing.T, p *pool) *sql.Conn {
	t.Helper()
	conn, err := p.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func wantPragma(t *testing.T, conn *sql.Conn, pragma string, want int) {
	t.Helper()
	var got int
	if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
		t.Errorf("PRAGMA %s is %d (%v), want %d", pragma, got, err, want)
	}
}

// Reopening must find what was acknowledged, and go on where it stopped.
func TestRevisionsAreNotReusedAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.CreateApplication(t.Context(), conf.Application{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	revision, err := s.DeleteApplication(t.Context(), a.ID, func(*conf.Application) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the store is not in the file that was named: %v", err)
	}
	again, err := open(t, path, Options{}).CreateApplication(t.Context(), conf.Application{Name: "one"})
	if err != nil || again.Revision != revision+1 {
		t.Errorf("after reopening: revision %d (%v), want %d", again.Revision, err, revision+1)
	}
}

func TestEveryChangeIsRecorded(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	ctx := t.Context()
	a, _ := s.CreateApplication(ctx, conf.Application{Name: "shop"})
	c, _ := s.CreateConfiguration(ctx, conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{"a":1}`)})
	s.UpdateConfiguration(ctx, c.ID, func(c *conf.Configuration) error { c.Config = []byte(`{"a":2}`); return nil })
	s.UpdateConfiguration(ctx, c.ID, func(*conf.Configuration) error { return conf.Errorf(conf.PreconditionFailed, "no") })
	s.UpdateApplication(ctx, a.ID, func(a *conf.Application) error { a.Name = "store"; return nil })
	s.DeleteApplication(ctx, a.ID, func(*conf.Application) error { return nil })

	rows, err := s.reader.db.QueryContext(ctx, `
		SELECT revision || '.' || ordinal, operation, name, ifnull(version, 0), ifnull(config, '') FROM changes ORDER BY revision, ordinal`)
	got, err := collect(rows, err, func(row scanner) (string, error) {
		var at, operation, name, config string
		var version int
		err := row.Scan(&at, &operation, &name, &version, &config)
		return fmt.Sprint(at, " ", operation, " ", name, " ", version, " ", config), err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1.0 create shop 0 ",
		`2.0 create main 1 {"a":1}`,
		`3.0 update main 2 {"a":2}`,
		"4.0 update store 0 ",
		"5.0 delete main 3 ",
		"5.1 delete store 0 ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got)\n%s", diff)
	}
}

func TestFilesThatAreNotOursAreRefusedAndLeftAlone(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		want string
	}{
		{"no database", func(t *testing.T, path string) { writeFile(t, path, strings.Repeat("no database ", 100)) }, "not an SQLite database"},
		{"another program's", func(t *testing.T, path string) { exec(t, path, `CREATE TABLE theirs (x)`) }, "another program's"},
		{"a newer schema", func(t *testing.T, path string) {
			if s, err := Open(t.Context(), "sqlite:"+path, Options{}); err != nil || s.Close() != nil {
				t.Fatal(err)
			}
			exec(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		}, "newer version of the program"},
		{"a directory", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}, "it is a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			tc.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := Open(t.Context(), "sqlite:"+path, Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that names the file and says %q", err, tc.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
		})
	}
}

func TestPathThatCannotBeWrittenIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "store.db")
	_, err := Open(t.Context(), "sqlite:"+path, Options{})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "directory must exist") {
		t.Errorf("error %v, want one that names the file and the remedy", err)
	}
}

func TestURLsThatNameNoDatabaseAreRefused(t *testing.T) {
	for _, url := range []string{"", "store.db", "sqlite:", "sqlite::memory:", "mysql://kim:hunter2@host/db", "user=kim password=hunter2"} {
		_, err := ParseURL(url)
		if err == nil || !strings.Contains(err.Error(), "sqlite:") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseURL(%q): error %v, want one that says what to write", url, err)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// A writer elsewhere that holds the lock must cost a bounded wait, an honest
// code, and nothing after it has gone.
func TestLockHeldElsewhereEndsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path, Options{Timeout: 50 * time.Millisecond})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	if _, err = s.CreateApplication(t.Context(), conf.Application{Name: "a"}); conf.CodeOf(err) != conf.Unavailable {
		t.Errorf("error %v has the code %q, want unavailable", err, conf.CodeOf(err))
	}
	if _, err := s.Stats(t.Context()); err != nil {
		t.Errorf("a read meanwhile: %v", err)
	}
	if _, err := other.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateApplication(t.Context(), conf.Application{Name: "a"}); err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
}

// observed notes what a pool tells.
type observed struct {
	mu       sync.Mutex
	pending  map[string]int64
	acquired []bool
	released int
	created  []string
}

func (o *observed) Waiting(pool string, delta int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending[pool] += delta
}

func (o *observed) Acquired(_ string, _ time.Duration, timedOut bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acquired = append(o.acquired, timedOut)
}

func (o *observed) Released(string, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released++
}

func (o *observed) Created(pool string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.created = append(o.created, pool)
}

func TestExhaustedPoolIsObservedAndRecovers(t *testing.T) {
	o := &observed{pending: map[string]int64{}}
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{MaxConnections: 1, Timeout: time.Minute, Observer: o})
	err := s.reader.with(t.Context(), func(context.Context, *sql.Conn) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := s.Stats(ctx)
		return err
	})
	if conf.CodeOf(err) != conf.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read with the pool exhausted: %v", err)
	}
	if _, err := s.Stats(t.Context()); err != nil {
		t.Errorf("after the connection came back: %v", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if diff := cmp.Diff([]bool{false, true, false}, o.acquired); diff != "" {
		t.Errorf("timeouts (-want +got)\n%s", diff)
	}
	if o.released != 2 || o.pending["reader"] != 0 || !slices.Contains(o.created, "reader") || !slices.Contains(o.created, "writer") {
		t.Errorf("released %d, pending %v, created %v", o.released, o.pending, o.created)
	}
}

// To have a context watched costs as much as the statement.
func TestBriefReadIsNotWatchedButWaitsNoLongerThanTheTimeout(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{MaxConnections: 1, Timeout: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := s.query(ctx, func(ctx context.Context, _ querier) error {
		if ctx.Done() != nil {
			t.Error("its context is watched")
		}
		_, err := s.Stats(t.Context()) // there is no other connection
		return err
	})
	if conf.CodeOf(err) != conf.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read that waits for a connection: %v", err)
	}
	cancel()
	if _, err := s.Stats(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that nobody wants any more: %v", err)
	}
}

func TestStatementsOnARemoteEngineHaveADeadline(t *testing.T) {
	s := openURL(t, pgtest.Database(t), Options{})
	err := s.query(context.Background(), func(ctx context.Context, _ querier) error {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("a read may take as long as it likes")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The order of creation is told by ids and times, so both must follow the
// revisions and not the clock.
func TestIDsAndTimesDoNotGoBackWithTheClock(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	now := time.Now()
	var lastID string
	var lastTime time.Time
	for _, clock := range []time.Time{now, now, now.Add(-time.Hour), now.Add(time.Microsecond), now.Add(time.Second)} {
		err := s.writer.with(t.Context(), func(ctx context.Context, c *sql.Conn) error {
			u, err := openUnit(ctx, c, nil, &recent{})
			if err != nil {
				return err
			}
			defer u.Rollback()
			tx := &transaction{unit: u, caller: ctx}
			tx.begin(clock)
			id, err := tx.newID()
			if err != nil || id <= lastID || !tx.now.After(lastTime) {
				t.Errorf("at %v: id %s (%v) after %s, time %v after %v", clock, id, err, lastID, tx.now, lastTime)
			}
			lastID, lastTime = id, tx.now
			return errors.Join(u.settle(), u.commit())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
