//go:build linux || darwin

package sqlstore

import (
	osexec "os/exec" // exec is a helper of these tests
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"configservice/svc/internal/pgtest"
)

// What df says is the measure; other programs may write in between.
func TestDiskIsNotWhatTheSystemSaysOfIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	available, capacity, err := open(t, path, Options{}).Disk()()
	if err != nil {
		t.Fatal(err)
	}
	out, err := osexec.CommandContext(t.Context(), "df", "-kP", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	columns := strings.Fields(lines[len(lines)-1]) // device, size, used, available, …
	size, err1 := strconv.ParseInt(columns[1], 10, 64)
	left, err2 := strconv.ParseInt(columns[3], 10, 64)
	if err1 != nil || err2 != nil {
		t.Fatalf("df says %q", out)
	}
	if off := available>>10 - left; capacity>>10 != size || off > size/50 || off < -size/50 {
		t.Errorf("%d of %d bytes are available, df has %d of %d KiB", available, capacity, left, size)
	}
}

func TestFileThatIsGoneHasADisk(t *testing.T) {
	if _, _, err := diskOf(filepath.Join(t.TempDir(), "gone.db"))(); err == nil || !strings.Contains(err.Error(), "gone.db") {
		t.Errorf("the error does not name the file: %v", err)
	}
}

func TestDatabaseServerHasADiskOfThisMachine(t *testing.T) {
	if openURL(t, pgtest.Database(t), Options{}).Disk() != nil {
		t.Error("PostgreSQL's store tells of a disk")
	}
}
