package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const provisioned = "../grafana/provisioning/dashboards"

func TestWhatIsProvisionedIsWhatTheTablesSay(t *testing.T) {
	written := t.TempDir()
	if code := run([]string{written}, os.Stdout, os.Stderr); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	want, got := readAll(t, written), readAll(t, provisioned)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("`make dashboards-generate` would change the files (-tables +files)\n%s", diff)
	}
}

// readAll returns the texts of the dashboards in a directory by file name.
func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

func TestFaultyArgumentsAreToldApartFromFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"an option there is not", []string{"--dir"}, 2, `unexpected arguments ["--dir"]`},
		{"two directories", []string{"a", "b"}, 2, "unexpected arguments"},
		{"an empty directory name", []string{""}, 2, "unexpected arguments"},
		{"a directory there is not", []string{filepath.Join(t.TempDir(), "none")}, 1, "no such file or directory"},
		{"help", []string{"--help"}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			if code := run(c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit code %d and %q, want %d and %q", code, stderr.String(), c.code, c.stderr)
			}
		})
	}
}
