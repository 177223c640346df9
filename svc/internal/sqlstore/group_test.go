package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/sqlite"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// company is a store whose next writes are to share one commit.
type company struct {
	*Store
	db    *sql.DB // of the test's own
	calls []func() error
}

// onBoth runs a test on each engine.
func onBoth(t *testing.T, test func(*testing.T, *company)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, &company{Store: open(t, filepath.Join(t.TempDir(), "store.db"), Options{})})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.Database(t)
		test(t, &company{Store: openURL(t, url, Options{}), db: admin(t, url)})
	})
}

func (c *company) create(ctx context.Context, name string) {
	c.calls = append(c.calls, func() error {
		_, err := c.CreateApplication(ctx, conf.Application{Name: name})
		return err
	})
}

func (c *company) edit(ctx context.Context, id string, edit conf.Edit[conf.Application]) {
	c.calls = append(c.calls, func() error {
		_, err := c.UpdateApplication(ctx, id, edit)
		return err
	})
}

// meet makes the calls, in order, while another write has the turn, and returns
// what they end in.
func (c *company) meet(t *testing.T) []error {
	t.Helper()
	c.writer.turns <- struct{}{}
	errs := make([]error, len(c.calls))
	var wg sync.WaitGroup
	for i, call := range c.calls {
		wg.Go(func() { errs[i] = call() })
		waitFor(t, func() bool { return c.waitingWrites() == i+1 })
	}
	c.writer.leave()
	wg.Wait()
	c.calls = nil
	return errs
}

func (c *company) waitingWrites() int {
	c.writes.mu.Lock()
	defer c.writes.mu.Unlock()
	return len(c.writes.waiting)
}

func wantCodes(t *testing.T, errs []error, want ...conf.Code) {
	t.Helper()
	var got []conf.Code
	for _, err := range errs {
		got = append(got, conf.CodeOf(err))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%v: codes (-want +got)\n%s", errs, diff)
	}
}

// names returns those of the applications, by revision.
func (c *company) names(t *testing.T) (names []string) {
	t.Helper()
	txs, err := c.Changes(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, tx := range txs {
		if tx.Revision != int64(i+1) || len(tx.Changes) != 1 {
			t.Errorf("place %d has %+v", i+1, tx)
		}
		names = append(names, tx.Changes[0].Name)
	}
	return names
}

func TestCompanionThatIsRefusedFailsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		refuse := func(*conf.Application) error { return conf.Errorf(conf.PreconditionFailed, "no") }
		commits := c.countCommits(t)
		c.create(t.Context(), "one")
		c.edit(t.Context(), a.ID, refuse)
		c.create(t.Context(), "one")
		c.create(t.Context(), "two")
		c.edit(t.Context(), a.ID, func(a *conf.Application) error { a.Name = "two"; return nil })
		c.edit(t.Context(), "nobody", refuse)
		c.create(t.Context(), "three")
		wantCodes(t, c.meet(t), "", conf.PreconditionFailed, conf.Exists, "", conf.Exists, conf.NotFound, "")
		if diff := cmp.Diff([]string{"first", "one", "two", "three"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if st, _ := c.Stats(t.Context()); st != (conf.Stats{Revision: 4, Applications: 4}) {
			t.Errorf("totals %+v", st)
		}
		if n := commits(); n != 1 {
			t.Errorf("%d commits", n)
		}
	})
}

// What a write has changed before it failed must go, and nothing else: the
// others' changes are made anew, and count once.
func TestCompanionThatFailsHalfWayLeavesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		runs := 0
		configuration := func(name string) {
			c.calls = append(c.calls, func() error {
				_, err := c.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: name, Config: []byte(`{}`)})
				return err
			})
		}
		commits := c.countCommits(t)
		c.edit(t.Context(), a.ID, func(a *conf.Application) error { runs++; a.Name += "!"; return nil })
		configuration("main")
		configuration("main") // gives the application its revision first
		configuration("other")
		configuration("main")
		c.create(t.Context(), "last")
		wantCodes(t, c.meet(t), "", "", conf.Exists, "", conf.Exists, "")
		if diff := cmp.Diff([]string{"first", "first!", "main", "other", "last"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if st, _ := c.Stats(t.Context()); st != (conf.Stats{Revision: 5, Applications: 2, Configurations: 2}) {
			t.Errorf("totals %+v", st)
		}
		if page, err := c.Audit(t.Context(), conf.AuditQuery{Window: conf.Window{Limit: 10}}); err != nil || page.Total != 5 {
			t.Errorf("the audit tells of %d changes (%v)", page.Total, err)
		}
		if got, err := c.Application(t.Context(), a.ID); err != nil || got.Revision != 4 {
			t.Errorf("the application has the revision %d (%v), want that of the last change that was made", got.Revision, err)
		}
		if runs != 2 || commits() != 1 {
			t.Errorf("%d runs, %d commits", runs, commits())
		}
	})
}

// A refusal is an everyday matter, and must cost the others nothing.
func TestRefusalMakesNobodyRunAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		runs := 0
		for range 3 {
			c.edit(t.Context(), a.ID, func(*conf.Application) error { runs++; return nil })
			c.edit(t.Context(), a.ID, func(*conf.Application) error { runs++; return conf.Errorf(conf.PreconditionFailed, "no") })
		}
		c.edit(t.Context(), "nobody", func(*conf.Application) error { return nil })
		wantCodes(t, c.meet(t), "", conf.PreconditionFailed, "", conf.PreconditionFailed, "", conf.PreconditionFailed, conf.NotFound)
		if runs != 6 {
			t.Errorf("6 edits ran %d times", runs)
		}
		if st, _ := c.Stats(t.Context()); st.Revision != 4 {
			t.Errorf("totals %+v", st)
		}
	})
}

func TestFirstOfACompanyThatIsRefusedFailsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		createApplication(t, c.Store, "first")
		c.create(t.Context(), "first")
		c.create(t.Context(), "one")
		c.create(t.Context(), "two")
		wantCodes(t, c.meet(t), conf.Exists, "", "")
		if diff := cmp.Diff([]string{"first", "one", "two"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// Nobody waits for a write whose context is over, so it must not be made; and
// must not take along those for which somebody waits.
func TestCompanionThatIsCancelledFailsAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		before, cancelBefore := context.WithCancel(t.Context())
		during, cancelDuring := context.WithCancel(t.Context())
		c.create(t.Context(), "one")
		c.edit(t.Context(), a.ID, func(a *conf.Application) error { cancelBefore(); a.Name = "1st"; return nil })
		c.create(before, "two")
		c.edit(during, a.ID, func(a *conf.Application) error { cancelDuring(); a.Name = "first!"; return nil })
		c.create(t.Context(), "three")
		wantCodes(t, c.meet(t), "", "", conf.Unavailable, conf.Unavailable, "")
		if diff := cmp.Diff([]string{"first", "one", "1st", "three"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// What one has seen of the others is true only if their commit is.
func TestFailedCommitIsAcknowledgedToNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		mend := c.breakCommits(t)
		c.create(t.Context(), "one")
		c.create(t.Context(), "one")
		c.edit(t.Context(), a.ID, func(*conf.Application) error { return conf.Errorf(conf.PreconditionFailed, "no") })
		wantCodes(t, c.meet(t), conf.Internal, conf.Internal, conf.Internal)
		mend()
		c.create(t.Context(), "one")
		wantCodes(t, c.meet(t), "")
		if diff := cmp.Diff([]string{"first", "one"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// breakCommits makes the engine refuse to commit, until mend.
func (c *company) breakCommits(t *testing.T) (mend func()) {
	if c.db != nil {
		trigger(t, c.db, `CONSTRAINT TRIGGER at_commit AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED`,
			`RAISE EXCEPTION 'no' USING ERRCODE = 'XX000';`)
		return func() { sqlExec(t, c.db, `DROP TRIGGER at_commit ON changes`) }
	}
	c.onCommit(t, func() int32 { return 1 })
	return func() { c.onCommit(t, nil) }
}

// onCommit has SQLite call f before each commit, which is refused unless f
// returns 0.
func (c *company) onCommit(t *testing.T, f func() int32) {
	t.Helper()
	err := connectionOf(c.writer, func(conn any) {
		conn.(*preparedConn).sqliteConn.(sqlite.HookRegisterer).RegisterCommitHook(f)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func connectionOf(p *pool, use func(any)) error {
	conn, err := p.db.Conn(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(conn.Raw(func(dc any) error { use(dc); return nil }), conn.Close())
}

// countCommits returns a function that tells how many there have been since.
func (c *company) countCommits(t *testing.T) func() int64 {
	if c.db == nil {
		var n atomic.Int64
		c.onCommit(t, func() int32 { n.Add(1); return 0 })
		return n.Load
	}
	sqlExec(t, c.db, `CREATE TABLE commits (id text UNIQUE)`)
	trigger(t, c.db, `TRIGGER counting AFTER UPDATE ON store`, `INSERT INTO commits VALUES (pg_current_xact_id()::text) ON CONFLICT DO NOTHING;`)
	return func() (n int64) {
		if err := c.db.QueryRowContext(t.Context(), `SELECT count(*) FROM commits`).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
}

// An engine's trouble takes the whole transaction along. Only the write that met
// with it may hear of that.
func TestTransactionBrokenByOneIsMadeAnewForTheOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		c.create(t.Context(), "one")
		c.calls = append(c.calls, func() error {
			return c.transact(t.Context(), func(tx *transaction) error {
				if err := tx.exec(`ROLLBACK`); err != nil { // as SQLite does by itself when a disk is full
					return err
				}
				return &conf.Error{Code: conf.Unavailable, Detail: "the disk is full"}
			})
		})
		c.create(t.Context(), "two")
		c.edit(t.Context(), a.ID, func(a *conf.Application) error { a.Name = "1st"; return nil })
		wantCodes(t, c.meet(t), "", conf.Unavailable, "", "")
		if names := c.names(t); len(names) != 4 {
			t.Errorf("changed: %q", names)
		}
	})
}

func TestCompanionsOfAKilledConnectionAreMadeAnew(t *testing.T) {
	url := pgtest.Database(t)
	c := &company{Store: openURL(t, url, Options{}), db: admin(t, url)}
	a := createApplication(t, c.Store, "first")
	killed := false
	c.create(t.Context(), "one")
	c.edit(t.Context(), a.ID, func(a *conf.Application) error {
		if !killed {
			killed = true
			killBackends(t, c.db)
		}
		a.Name = "1st"
		return nil
	})
	c.create(t.Context(), "two")
	wantCodes(t, c.meet(t), "", "", "")
	if names := c.names(t); len(names) != 4 {
		t.Errorf("changed: %q", names)
	}
}

func TestPanicOfOneIsItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		a := createApplication(t, c.Store, "first")
		c.create(t.Context(), "one")
		c.calls = append(c.calls, func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = conf.Errorf(conf.Internal, "%v", p)
				}
			}()
			_, err = c.UpdateApplication(t.Context(), a.ID, func(*conf.Application) error { panic("a fault of ours") })
			return err
		})
		c.create(t.Context(), "two")
		wantCodes(t, c.meet(t), "", conf.Internal, "")
		if diff := cmp.Diff([]string{"first", "one", "two"}, c.names(t)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// Writers that come at once must not each pay for a flush to the disk.
func TestManyWritersShareCommits(t *testing.T) {
	const writers, writes = 32, 20
	onBoth(t, func(t *testing.T, c *company) {
		commits := c.countCommits(t)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range writes {
					createApplication(t, c.Store, fmt.Sprint(w, ".", i))
				}
			})
		}
		wg.Wait()
		if st, err := c.Stats(t.Context()); err != nil || st.Revision != writers*writes || st.Applications != writers*writes {
			t.Errorf("totals %+v (%v)", st, err)
		}
		if n := commits(); n > writers*writes/4 {
			t.Errorf("%d writes took %d commits", writers*writes, n)
		} else {
			t.Logf("%d writes took %d commits", writers*writes, n)
		}
	})
}

// Who could join if it had a processor must not be left to pay for a flush of
// its own. Now and then the scheduler prefers the one that yields.
func TestWriterThatIsAboutToJoinPaysForACommit(t *testing.T) {
	const rounds = 20
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := &company{Store: open(t, filepath.Join(t.TempDir(), "store.db"), Options{})}
	a := createApplication(t, c.Store, "first")
	commits := c.countCommits(t)
	for i := range rounds {
		var other sync.WaitGroup
		_, err := c.UpdateApplication(t.Context(), a.ID, func(*conf.Application) error {
			other.Go(func() { createApplication(t, c.Store, fmt.Sprint("app", i)) })
			return nil
		})
		must(t, err)
		other.Wait()
	}
	if n := commits(); n > rounds*3/2 {
		t.Errorf("%d writes in pairs took %d commits", 2*rounds, n)
	}
}

// A lone writer has the turn at once, and pays for one commit.
func TestLoneWriterDoesNotWait(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		commits := c.countCommits(t)
		for i := range 5 {
			createApplication(t, c.Store, fmt.Sprint("app", i))
		}
		if n := commits(); n != 5 {
			t.Errorf("5 writes, one after the other, took %d commits", n)
		}
	})
}
