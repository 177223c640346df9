package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runs calls the program in this process and returns what it wrote.
func runs(t *testing.T, wantCode int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, func(string) string { return "" }, &out, &errs); code != wantCode {
		t.Fatalf("%q ended with exit code %d, want %d\n%s", args, code, wantCode, &errs)
	}
	return out.String(), errs.String()
}

func TestStoreInUseIsExportedImportedBackedUpAndRestored(t *testing.T) {
	dir := t.TempDir()
	url := "--database-url=sqlite:" + filepath.Join(dir, "store.db")
	p := start(t, url)
	createConfigurations(t, p, 2)

	exported, _ := runs(t, exitOK, "export", url)
	lines, backup := filepath.Join(dir, "lines"), filepath.Join(dir, "backup.db")
	if err := os.WriteFile(lines, []byte(strings.Replace(exported, `{"n":0}`, `{"n":7}`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	runs(t, exitOK, "backup", url, backup)
	planned, _ := runs(t, exitOK, "import", "--dry-run", url, lines)
	if again, _ := runs(t, exitOK, "export", url); again != exported {
		t.Errorf("the dry run changed the store to\n%s", again)
	}
	if done, _ := runs(t, exitOK, "import", url, lines); done != planned || !strings.Contains(done, `"n":7`) {
		t.Errorf("the dry run told\n%sand the import\n%s", planned, done)
	}
	if out, _ := runs(t, exitOK, "restore", url, backup); !strings.Contains(out, "after 5") {
		t.Errorf("after four revisions, restore says %q", out)
	}
	if again, _ := runs(t, exitOK, "export", url); again != exported {
		t.Errorf("restored to\n%s", again)
	}
	p.get(t, "/api/v1/audit", http.StatusOK)
}

func TestTransfersTellWhatIsWrongAndChangeNothing(t *testing.T) {
	dir := t.TempDir()
	url := "--database-url=sqlite:" + filepath.Join(dir, "store.db")
	faulty := filepath.Join(dir, "faulty")
	if err := os.WriteFile(faulty, []byte(`{"kind":"application","name":"shop"}`+"\n{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		code int
		args []string
		want []string
	}{
		{exitUsage, []string{"import", "--dry-rum", "--timeout=0s", "--database-url=mysql:x"}, []string{"-dry-rum", "--timeout is 0s", "--database-url", "needs a FILE", "--help"}},
		{exitUsage, []string{"export", "file"}, []string{`"file"`}},
		{exitUsage, []string{"--listen=:1", "export"}, []string{"export must be the first argument"}},
		{exitFailure, []string{"import", url, filepath.Join(dir, "none")}, []string{"none", "no such file"}},
		{exitFailure, []string{"import", url, faulty}, []string{faulty, "line 2", "nothing was imported"}},
		{exitFailure, []string{"backup", url, faulty}, []string{faulty, "already"}},
		{exitFailure, []string{"restore", url, faulty}, []string{faulty, "not an SQLite database"}},
	} {
		_, stderr := runs(t, tc.code, tc.args...)
		for _, want := range tc.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q does not say %s:\n%s", tc.args, want, stderr)
			}
		}
	}
	if out, _ := runs(t, exitOK, "export", url); out != "" {
		t.Errorf("the store has now\n%s", out)
	}
}
