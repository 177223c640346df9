package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// admin is a connection of the test's own to the database at url.
func admin(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url+"&application_name=admin&search_path="+defaultSchema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func sqlExec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// killBackends ends all sessions of the service in the database, at once, and
// returns when they are gone.
func killBackends(t *testing.T, db *sql.DB) {
	t.Helper()
	const sessions = ` FROM pg_stat_activity WHERE application_name = 'config-service' AND datname = current_database()`
	var victims string
	if err := db.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(pid::text, ','), '0') FROM (SELECT pid, pg_terminate_backend(pid)`+sessions+`) k`).Scan(&victims); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		var left int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE pid IN (`+victims+`)`).Scan(&left)
		return err == nil && left == 0
	})
}

// patient lets a store with a short timeout be opened on a busy machine.
const patient = "&connect_timeout=30"

func createApplication(t *testing.T, s *Store, name string) conf.Application {
	t.Helper()
	a, err := s.CreateApplication(t.Context(), conf.Application{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if conf.CodeOf(err) != conf.Unavailable {
		t.Errorf("error %v has the code %q, want unavailable", err, conf.CodeOf(err))
	}
}

// While the database is away calls must end soon and honestly, and once it is
// back they must work, with no restart of the service.
func TestDatabaseStoppedAndStartedWhileInUse(t *testing.T) {
	for _, tc := range []struct {
		name string
		stop func(*pgtest.Cluster, testing.TB)
	}{{"stopped", (*pgtest.Cluster).Stop}, {"crashed", (*pgtest.Cluster).Kill}} {
		t.Run(tc.name, func(t *testing.T) {
			cluster := pgtest.New(t)
			s := openURL(t, cluster.Database(t), Options{Timeout: time.Minute})
			a := createApplication(t, s, "before")
			tc.stop(cluster, t)
			asked := time.Now()
			_, err := s.Application(t.Context(), a.ID)
			wantUnavailable(t, err)
			_, err = s.CreateApplication(t.Context(), conf.Application{Name: "meanwhile"})
			wantUnavailable(t, err)
			if took := time.Since(asked); took > 10*time.Second {
				t.Errorf("to be told so took %s", took)
			}
			cluster.Start(t)
			if got, err := s.Application(t.Context(), a.ID); err != nil || got.Name != "before" {
				t.Errorf("after the start: %+v (%v)", got, err)
			}
			if next := createApplication(t, s, "after"); next.Revision != a.Revision+1 {
				t.Errorf("after the start: revision %d follows %d", next.Revision, a.Revision)
			}
		})
	}
}

// Connections die in the pool: a server's restart, a failover, a firewall. The
// next call must not be the one to pay.
func TestConnectionsThatDiedInThePoolAreNotSeenByCallers(t *testing.T) {
	url := pgtest.Database(t)
	s, db := openURL(t, url, Options{MaxConnections: 4 * maxAttempts}), admin(t, url)
	a := createApplication(t, s, "shop")
	for round := range 3 {
		fill(t, s.reader)
		fill(t, s.reader) // again: a connection that is new to the pool would be asked whether it lives
		killBackends(t, db)
		if _, err := s.Application(t.Context(), a.ID); err != nil {
			t.Errorf("round %d: a read: %v", round, err)
		}
		killBackends(t, db)
		createApplication(t, s, fmt.Sprint("app", round))
	}
}

// fill opens as many connections as the pool may have, and leaves them idle.
func fill(t *testing.T, p *pool) {
	t.Helper()
	held := make([]*sql.Conn, p.size)
	for i := range held { // all held at once, so that each is another
		var err error
		if held[i], err = p.db.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range held {
		c.Close()
	}
}

// A write whose connection is lost before it commits has not happened, so it
// is made anew.
func TestWriteWhoseConnectionIsKilledIsMadeAnew(t *testing.T) {
	url := pgtest.Database(t)
	s, db := openURL(t, url, Options{}), admin(t, url)
	a := createApplication(t, s, "shop")
	runs := 0
	got, err := s.UpdateApplication(t.Context(), a.ID, func(a *conf.Application) error {
		if runs++; runs < 3 {
			killBackends(t, db)
		}
		a.Name += "!"
		return nil
	})
	if err != nil || runs != 3 || got.Name != "shop!" || got.Revision != a.Revision+1 {
		t.Errorf("after %d runs: %+v (%v)", runs, got, err)
	}
}

// A connection that goes away while the commit is awaited leaves the outcome
// open. The caller must hear so, and the write must not be made twice.
func TestConnectionLostInCommitIsReportedAndNotRepeated(t *testing.T) {
	url := pgtest.Database(t)
	s, db := openURL(t, url, Options{}), admin(t, url)
	sqlExec(t, db, `CREATE SEQUENCE commits`)
	trigger(t, db, `CONSTRAINT TRIGGER at_commit AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED`,
		`PERFORM nextval('commits'); PERFORM pg_terminate_backend(pg_backend_pid());`)
	_, err := s.CreateApplication(t.Context(), conf.Application{Name: "shop"})
	wantUnavailable(t, err)
	if e, ok := errors.AsType[*conf.Error](err); !ok || e.Detail == "the database is not available" {
		t.Errorf("the error %v does not say that the outcome is open", err)
	}
	wantInt(t, db, `SELECT last_value FROM commits`, 1)
	sqlExec(t, db, `DROP TRIGGER at_commit ON changes`)
	createApplication(t, s, "shop")
}

// trigger makes a trigger that runs a body in PL/pgSQL.
func trigger(t *testing.T, db *sql.DB, create, body string) {
	t.Helper()
	sqlExec(t, db, `CREATE FUNCTION hazard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+body+` RETURN NEW; END $$`)
	sqlExec(t, db, `CREATE `+create+` FOR EACH ROW EXECUTE FUNCTION hazard()`)
}

func wantInt(t *testing.T, db *sql.DB, query string, want int) {
	t.Helper()
	var got int
	if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
		t.Errorf("%s is %d (%v), want %d", query, got, err, want)
	}
}

func TestConflictsAreRetriedWithinABound(t *testing.T) {
	for _, tc := range []struct {
		name, state       string
		conflicts, wanted int // attempts that conflict, and attempts made
		code              conf.Code
	}{
		{"a serialization failure that passes", "40001", 2, 3, ""},
		{"a deadlock that passes", "40P01", 1, 2, ""},
		{"one that does not", "40001", 1 << 30, maxAttempts, conf.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := pgtest.Database(t)
			s, db := openURL(t, url, Options{}), admin(t, url)
			sqlExec(t, db, `CREATE SEQUENCE attempts`)
			trigger(t, db, `TRIGGER conflicting BEFORE INSERT ON changes`, fmt.Sprintf(
				`IF nextval('attempts') <= %d THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '%s'; END IF;`, tc.conflicts, tc.state))
			a, err := s.CreateApplication(t.Context(), conf.Application{Name: "shop"})
			if conf.CodeOf(err) != tc.code || err == nil && a.Revision != 1 {
				t.Errorf("created %+v (%v), want the code %q", a, err, tc.code)
			}
			wantInt(t, db, `SELECT last_value FROM attempts`, tc.wanted)
		})
	}
}

// What replicas write must be one sequence: revisions without gaps, ids and
// times that follow them, and no reader who sees a revision before an earlier
// one.
func TestReplicasThatWriteAtOnceMakeOneSequence(t *testing.T) {
	const replicas, writes = 3, 40
	url := pgtest.Database(t)
	var mu sync.Mutex
	var all []conf.Application
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	reader := openURL(t, url, Options{MaxConnections: 1})
	readers.Go(func() { followFeed(t, reader, done) })
	for replica := range replicas {
		s := openURL(t, url, Options{MaxConnections: 4, Timeout: time.Minute})
		for writer := range 2 {
			writers.Go(func() {
				for i := range writes / 2 {
					a, err := s.CreateApplication(t.Context(), conf.Application{Name: fmt.Sprint(replica, ".", writer, ".", i)})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					all = append(all, a)
					mu.Unlock()
				}
			})
		}
	}
	writers.Wait()
	close(done)
	readers.Wait()
	slices.SortFunc(all, func(a, b conf.Application) int { return int(a.Revision - b.Revision) })
	for i, a := range all {
		if a.Revision != int64(i+1) {
			t.Fatalf("revision %d is at place %d", a.Revision, i+1)
		}
		if i > 0 && (a.ID <= all[i-1].ID || !a.CreatedAt.After(all[i-1].CreatedAt)) {
			t.Errorf("%+v does not come after %+v", a, all[i-1])
		}
	}
}

// followFeed reads the changes until done, and fails when one is passed over.
func followFeed(t *testing.T, s *Store, done <-chan struct{}) {
	var last int64
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		txs, err := s.Changes(t.Context(), last, 1000)
		if err != nil {
			t.Error(err)
			return
		}
		for _, tx := range txs {
			if tx.Revision != last+1 {
				t.Errorf("the feed goes from %d to %d", last, tx.Revision)
			}
			last = tx.Revision
		}
	}
}

func TestManyReplicasStartOnOneEmptyDatabase(t *testing.T) {
	const n = 8
	url := pgtest.Database(t)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			s, err := Open(t.Context(), url, Options{MaxConnections: 1})
			if err == nil {
				_, err = s.CreateApplication(t.Context(), conf.Application{Name: fmt.Sprint("app", i)})
				err = errors.Join(err, s.Close())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	db := admin(t, url)
	wantInt(t, db, `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`, 0)
	wantInt(t, db, `SELECT revision FROM store`, n)
}

// Writers queue for one lock. They must not keep the readers from having a
// connection while they do, and none may be lost.
func TestWritersThatQueueDoNotStarveReaders(t *testing.T) {
	url := pgtest.Database(t)
	s, db := openURL(t, url, Options{MaxConnections: 4, Timeout: time.Minute}), admin(t, url)
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	if _, err := lock.ExecContext(t.Context(), `SELECT * FROM store FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for i := range 20 {
		writers.Go(func() {
			if _, err := s.CreateApplication(t.Context(), conf.Application{Name: fmt.Sprint("app", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return len(s.writer.turns) == cap(s.writer.turns) })
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if _, err := s.Stats(ctx); err != nil {
			t.Errorf("a read meanwhile: %v", err)
		}
		cancel()
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	if st, err := s.Stats(t.Context()); err != nil || st.Applications != 20 {
		t.Errorf("afterwards: %+v (%v)", st, err)
	}
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain")
		}
	}
}

// A session elsewhere that holds the lock must cost a bounded wait, an honest
// code, and nothing after it has gone.
func TestLockHeldElsewhereEndsUnavailableOnPostgreSQL(t *testing.T) {
	url := pgtest.Database(t)
	s, db := openURL(t, url+patient, Options{Timeout: 200 * time.Millisecond}), admin(t, url)
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback()
	if _, err := lock.ExecContext(t.Context(), `SELECT * FROM store FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	_, err = s.CreateApplication(t.Context(), conf.Application{Name: "a"})
	wantUnavailable(t, err)
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		_, err := s.CreateApplication(t.Context(), conf.Application{Name: "a"})
		return err == nil
	})
}

func TestExhaustedPoolOfPostgreSQLIsObservedAndRecovers(t *testing.T) {
	o := &observed{pending: map[string]int64{}}
	s := openURL(t, pgtest.Database(t), Options{MaxConnections: 1, Timeout: time.Minute, Observer: o})
	err := s.reader.with(t.Context(), func(context.Context, *sql.Conn) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := s.CreateApplication(ctx, conf.Application{Name: "a"})
		return err
	})
	wantUnavailable(t, err)
	createApplication(t, s, "a")
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.acquired, []bool{false, true, false}) || o.released != 2 || o.pending["postgresql"] != 0 || !slices.Contains(o.created, "postgresql") {
		t.Errorf("timeouts %v, released %d, pending %v, created %v", o.acquired, o.released, o.pending, o.created)
	}
	if pools := s.Pools(); len(pools) != 1 || pools[0].Name != "postgresql" {
		t.Errorf("the pools are %+v", pools)
	}
}
