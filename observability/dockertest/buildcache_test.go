//go:build docker && linux

package dockertest

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// copyBuildCache copies into dir what Go's build cache has of the packages that the
// Dockerfiles compile: entries are found by a hash of all that has an influence, the
// compiler too, so what is built of them is what would be built without them, sooner.
func copyBuildCache(t *testing.T, root, dir string) {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-export", "-trimpath", "-f", "{{if .Export}}{{.Export}} {{.BuildID}}{{end}}",
		"./svc", "./observability/loadtest")
	list.Dir, list.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	cp := exec.Command("cp", "--parents", "--target-directory", dir)
	for line := range strings.Lines(string(out)) {
		object, buildID, _ := strings.Cut(strings.TrimSpace(line), " ")
		cp.Dir = filepath.Dir(filepath.Dir(object))
		entry, err := entryOf(cp.Dir, buildID)
		if err != nil {
			t.Fatalf("Go's build cache is not as expected: %v", err)
		}
		cp.Args = append(cp.Args, entry, inCache(object))
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := cp.CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
}

// entryOf returns, below cache, the entry that leads to a compiled package. It is
// named by the hash of which a build ID begins with half, as base64.
func entryOf(cache, buildID string) (string, error) {
	action, _, _ := strings.Cut(buildID, "/")
	half, err := base64.RawURLEncoding.DecodeString(action)
	if err != nil || len(half) == 0 {
		return "", fmt.Errorf("build ID %q: %v", buildID, err)
	}
	entries, err := filepath.Glob(filepath.Join(cache, fmt.Sprintf("%02x/%x*-a", half[:1], half)))
	if err != nil || len(entries) != 1 {
		return "", fmt.Errorf("build ID %q: entries %q, %v", buildID, entries, err)
	}
	return inCache(entries[0]), nil
}

// inCache is a file's path below its cache, which has one level of directories.
func inCache(file string) string {
	return filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
}
