package sqlstore

import (
	"path/filepath"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// An import looks at what is there and then writes. Nobody may write between.
func TestWhatAnAtomicWholeHasReadIsNotChangedByOthers(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "store.db"), "PostgreSQL": pgtest.Database(t) + patient,
	} {
		t.Run(name, func(t *testing.T) {
			s, other := openURL(t, url, Options{}), openURL(t, url, Options{Timeout: 200 * time.Millisecond})
			createApplication(t, s, "before")
			err := s.Atomically(t.Context(), func(whole conf.Store) error {
				first, err := whole.Stats(t.Context())
				if err != nil {
					return err
				}
				_, err = other.CreateApplication(t.Context(), conf.Application{Name: "shop"})
				wantUnavailable(t, err)
				a, err := whole.CreateApplication(t.Context(), conf.Application{Name: "shop"})
				if a.Revision != first.Revision+1 {
					t.Errorf("revision %d follows %d", a.Revision, first.Revision)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// An export is of one moment, however long it takes.
func TestSnapshotDoesNotSeeLaterWrites(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "store.db"), "PostgreSQL": pgtest.Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			s := openURL(t, url, Options{})
			createApplication(t, s, "before")
			err := s.Snapshot(t.Context(), func(snapshot conf.Store) error {
				before, err := snapshot.Stats(t.Context())
				if err != nil {
					return err
				}
				createApplication(t, s, "meanwhile")
				if after, err := snapshot.Stats(t.Context()); err != nil || after != before {
					t.Errorf("the snapshot went from %+v to %+v (%v)", before, after, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
