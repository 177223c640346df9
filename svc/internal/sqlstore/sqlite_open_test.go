package sqlstore

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// A service that starts while a token is made, both on a new file.
func TestTwoThatOpenANewFileAtOnceSpoilItForEachOther(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "store.db")
		const n = 8
		opened := make(chan error, n)
		for range n {
			go func() {
				s, err := Open(t.Context(), "sqlite:"+path, Options{})
				if err == nil {
					err = s.Close()
				}
				opened <- err
			}()
		}
		for range n {
			if err := <-opened; err != nil {
				t.Error(err)
			}
		}
	}
}

// The process may be killed between goose's own table and the first of ours.
func TestStartCutOffEarlyLeavesAFileThatIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `
		CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
			is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, Options{})
}
