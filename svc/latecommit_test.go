package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"configservice/svc/internal/pgtest"
)

// A service that dies while PostgreSQL commits leaves that commit to the
// server, which ends it when nobody is left to tell. A successor that reads and
// watches before that must not lose the write, nor let another be lost by it.
func TestCommitThatOutlivesItsServiceIsSeenWholeByTheSuccessor(t *testing.T) {
	url := pgtest.New(t).Database(t)
	first := start(t, "--database-url", url)
	w := writers{}
	w.create(t, first)
	one := w.all[0]
	commits := holdCommits(t, url)

	unanswered := make(chan error, 1)
	go func() { _, err := one.update(first); unanswered <- err }()
	commits.await(t, "advisory")
	first.kill(t)
	if err := <-unanswered; err == nil {
		t.Fatal("a write was acknowledged before it was committed")
	}

	second := start(t, "--database-url", url)
	watcher := newFollower()
	watcher.follow(second)
	before, err := input{id: one.id}.do(second)
	if err != nil || before.revision != one.acked.Revision {
		t.Fatalf("before the commit the successor reads %+v (%v), not %+v", before, err, one.acked)
	}
	swap := make(chan output, 1)
	go func() { swap <- compareAndSet(t, second, one.id, before.etag) }()
	commits.await(t, "transactionid")
	commits.release(t)

	if got := <-swap; got.version != 0 {
		t.Errorf("a compare-and-set with the ETag of %+v undid the commit: %+v", before, got)
	}
	watcher.want(t, w.revision+1)
	want := output{version: before.version + 1, n: before.version + 1, revision: w.revision + 1}
	after, err := input{id: one.id}.do(second)
	if after.etag = ""; err != nil || after != want {
		t.Errorf("after the commit the successor reads %+v (%v), want %+v", after, err, want)
	}
}

func compareAndSet(t *testing.T, p *process, id, etag string) output {
	out, err := input{id: id, write: true, n: 99, match: etag}.do(p)
	if err != nil {
		t.Error(err)
	}
	return out
}

// heldCommits is a session that keeps the server from ending the commits of a
// database's writes.
type heldCommits struct{ session *pgx.Conn }

// holdCommits has each commit wait, in the server, for a lock that it takes.
func holdCommits(t *testing.T, url string) heldCommits {
	t.Helper()
	session := connect(t, url)
	_, err := session.Exec(t.Context(), `
		CREATE FUNCTION await_release() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER await_release AFTER INSERT ON config_service.changes
			DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION await_release();
		SELECT pg_advisory_lock(1)`)
	if err != nil {
		t.Fatal(err)
	}
	return heldCommits{session}
}

// await waits until a session waits for a lock of a kind.
func (h heldCommits) await(t *testing.T, lock string) {
	t.Helper()
	until(t, h.session, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = $1)`, lock)
}

func (h heldCommits) release(t *testing.T) {
	t.Helper()
	if _, err := h.session.Exec(t.Context(), `SELECT pg_advisory_unlock(1)`); err != nil {
		t.Fatal(err)
	}
}

// connect returns a connection that is the test's own.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	session, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close(context.Background()) })
	return session
}

// until asks until the answer is true.
func until(t *testing.T, session *pgx.Conn, question string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var yes bool
		if err := session.QueryRow(t.Context(), question, args...).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s %v", question, args)
		}
	}
}
