package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"configservice/svc/internal/pgtest"
)

// follow has s listen, and sends on the result the revision that it finds
// whenever it is told of a change.
func follow(t *testing.T, s *Store) <-chan int64 {
	t.Helper()
	seen := make(chan int64, 10_000)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	t.Cleanup(func() { cancel(); <-stopped })
	go func() {
		defer close(stopped)
		s.Listen(ctx, func() {
			if st, err := s.Stats(ctx); err == nil {
				seen <- st.Revision
			}
		})
	}()
	return seen
}

// wantSeen fails unless revision is seen, and seen by being told: nobody asks.
func wantSeen(t *testing.T, seen <-chan int64, revision int64) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case got := <-seen:
			if got >= revision {
				return
			}
		case <-deadline:
			t.Fatalf("revision %d was not told", revision)
		}
	}
}

func TestListenerHearsEveryCommitOfAnotherReplica(t *testing.T) {
	url := pgtest.Database(t)
	seen := follow(t, openURL(t, url, Options{}))
	other := openURL(t, url, Options{})
	wantSeen(t, seen, 0) // told once it listens
	for i := range 20 {
		wantSeen(t, seen, createApplication(t, other, fmt.Sprint("app", i)).Revision)
	}
}

func TestListenerWhoseConnectionIsKilledLosesNothing(t *testing.T) {
	url := pgtest.Database(t)
	seen := follow(t, openURL(t, url, Options{}))
	other, db := openURL(t, url, Options{}), admin(t, url)
	wantSeen(t, seen, 0)
	for i := range 5 {
		killBackends(t, db)
		wantSeen(t, seen, createApplication(t, other, fmt.Sprint("app", i)).Revision)
	}
}

func TestListenerSurvivesARestartOfTheDatabase(t *testing.T) {
	cluster := pgtest.New(t)
	url := cluster.Database(t)
	seen := follow(t, openURL(t, url, Options{}))
	wantSeen(t, seen, 0)
	cluster.Kill(t)
	cluster.Start(t)
	other := openURL(t, url, Options{})
	wantSeen(t, seen, createApplication(t, other, "after").Revision)
}

// Two stores in one database must not disturb each other.
func TestListenerDoesNotHearAnotherSchema(t *testing.T) {
	url := pgtest.Database(t)
	seen := follow(t, openURL(t, url, Options{}))
	wantSeen(t, seen, 0)
	createApplication(t, openURL(t, url+"&search_path=second", Options{}), "theirs")
	ours := createApplication(t, openURL(t, url, Options{}), "ours")
	if got := <-seen; got != ours.Revision {
		t.Errorf("told when the store was at revision %d, before its first commit", got)
	}
}

func TestListenOnSQLiteWaitsForTheEnd(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Listen(ctx, func() { t.Error("SQLite told of a change") })
}
