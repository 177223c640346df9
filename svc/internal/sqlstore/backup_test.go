package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
)

// filled opens a new store with one application and its configurations.
func filled(t *testing.T, configurations int) (s *Store, url string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s = open(t, path, Options{})
	a, err := s.CreateApplication(t.Context(), conf.Application{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range configurations {
		_, err := s.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: fmt.Sprint("c", i), Config: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, "sqlite:" + path
}

func listed(t *testing.T, s conf.Store) []conf.Configuration {
	t.Helper()
	page, err := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: conf.Window{Limit: conf.MaxLimit}})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

func TestBackupTakenDuringWritesIsOneMomentOfTheStore(t *testing.T) {
	s, url := filled(t, 0)
	apps, err := s.Applications(t.Context(), conf.ApplicationQuery{Window: conf.Window{Limit: 1}})
	if err != nil {
		t.Fatal(err)
	}
	started, stop, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			_, err := s.CreateConfiguration(context.Background(), conf.Configuration{
				ApplicationID: apps.Items[0].ID, Name: fmt.Sprint("c", i), Config: []byte(`{}`)})
			if err != nil {
				t.Error(err)
			}
			if i == 10 {
				close(started)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	<-started
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), url, path); err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	b := open(t, path, Options{})
	st, err := b.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := listed(t, b)
	if n := int64(len(got)); n < 10 || st.Configurations != n || st.Revision != n+1 || got[n-1].Revision != st.Revision {
		t.Errorf("%d configurations in the backup, its totals are %+v", n, st)
	}
}

func TestBackupLeavesWhatIsThereAlone(t *testing.T) {
	_, url := filled(t, 1)
	path := filepath.Join(t.TempDir(), "backup.db")
	writeFile(t, path, "precious")
	if err := Backup(t.Context(), url, path); !errors.Is(err, os.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the file", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Errorf("the file is now %q", text)
	}
	missing := filepath.Join(t.TempDir(), "missing", "backup.db")
	if err := Backup(t.Context(), url, missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("error %v, want one that names the file", err)
	}
	for _, url := range []string{"sqlite:" + filepath.Join(t.TempDir(), "none.db"), "postgres://host/db", "mysql:x"} {
		if err := Backup(t.Context(), url, filepath.Join(t.TempDir(), "b.db")); err == nil {
			t.Errorf("a backup of %s succeeded", url)
		}
	}
}

func TestRevisionsGoOnAfterARestoreAndThePastCannotBeResumed(t *testing.T) {
	s, url := filled(t, 2)
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), url, path); err != nil {
		t.Fatal(err)
	}
	want := listed(t, s)
	later, err := s.UpdateConfiguration(t.Context(), want[0].ID, func(c *conf.Configuration) error { c.Config = []byte(`{"lost":1}`); return nil })
	if err != nil {
		t.Fatal(err)
	}

	// The store stays open: a service uses it.
	revision, err := Restore(t.Context(), url, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, listed(t, s)); diff != "" {
		t.Errorf("after the restore (-backed up +restored)\n%s", diff)
	}
	st, err := s.Stats(t.Context())
	if want := (conf.Stats{Revision: later.Revision + 1, Applications: 1, Configurations: 2}); err != nil || st != want || revision != want.Revision {
		t.Errorf("totals %+v, revision %d (%v), want %+v", st, revision, err, want)
	}
	if _, err := s.Changes(t.Context(), later.Revision, 10); conf.CodeOf(err) != conf.Compacted {
		t.Errorf("the past can be resumed: %v", err)
	}
	next, err := s.UpdateConfiguration(t.Context(), want[0].ID, func(*conf.Configuration) error { return nil })
	if err != nil || next.Revision != revision+1 || !next.UpdatedAt.After(later.UpdatedAt) || next.Version != 2 {
		t.Errorf("the next change is %+v (%v)", next, err)
	}
	txs, err := s.Changes(t.Context(), revision, 10)
	if err != nil || len(txs) != 1 {
		t.Errorf("changes after the restore: %+v (%v)", txs, err)
	}
}

func TestRestoreIntoANewFileStaysAheadOfWhatWasLost(t *testing.T) {
	s, url := filled(t, 2)
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), url, path); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "new.db")
	revision, err := Restore(t.Context(), "sqlite:"+target, path, Options{})
	if err != nil || revision < restoreMargin {
		t.Fatalf("revision %d, %v", revision, err)
	}
	restored := open(t, target, Options{})
	if diff := cmp.Diff(listed(t, s), listed(t, restored)); diff != "" {
		t.Errorf("(-backed up +restored)\n%s", diff)
	}
	if c, err := restored.ConfigurationByNameAt(t.Context(), "shop", "c1", conf.Point{Revision: 3}); err != nil || c.Name != "c1" {
		t.Errorf("what had a name in the past is %+v (%v)", c, err)
	}
}

func TestRestoreOfWhatIsNoBackupChangesNothing(t *testing.T) {
	s, url := filled(t, 2)
	want := listed(t, s)
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	writeFile(t, foreign, strings.Repeat("no database ", 100))
	for _, path := range []string{foreign, filepath.Join(t.TempDir(), "none.db")} {
		if _, err := Restore(t.Context(), url, path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("restoring %s: error %v, want one that names it", path, err)
		}
	}
	if diff := cmp.Diff(want, listed(t, s)); diff != "" {
		t.Errorf("(-before +after)\n%s", diff)
	}
}
