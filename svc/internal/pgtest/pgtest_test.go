package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	one, two := Database(t), Database(t)
	shared.cluster.Exec(t, one, `CREATE TABLE mine (x int)`)
	if got := shared.cluster.Exec(t, two, `SELECT to_regclass('mine') IS NULL`); got != "t" {
		t.Errorf("another database has the table too: %s", got)
	}
	if got := shared.cluster.Exec(t, two, `SHOW fsync`); got != "on" {
		t.Errorf("fsync is %s", got)
	}
}

func TestKilledClusterKeepsWhatItAcknowledged(t *testing.T) {
	c := New(t)
	db := c.Database(t)
	c.Exec(t, db, `CREATE TABLE kept (x int); INSERT INTO kept VALUES (7)`)
	c.Kill(t)
	c.Start(t)
	if got := c.Exec(t, db, `SELECT x FROM kept`); got != "7" {
		t.Errorf("after the crash: %q", got)
	}
}

// A test binary that is killed must not leave a server running.
func TestClusterGoesWithAProcessThatIsKilled(t *testing.T) {
	if os.Getenv("PGTEST_VICTIM") == "true" {
		os.Stdout.WriteString(New(t).dir + "\n")
		select {}
	}
	needPrograms(t)
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	victim.Env = append(os.Environ(), "PGTEST_VICTIM=true")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 200)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(buf[:n]))
	pid := serverPID(t, dir)
	victim.Process.Kill()
	victim.Wait()
	if !gone(t, dir, pid) {
		t.Errorf("%s or the server %d is still there", dir, pid)
	}
}

func serverPID(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid := 0
	for _, digit := range strings.SplitN(string(text), "\n", 2)[0] {
		pid = pid*10 + int(digit-'0')
	}
	return pid
}

// gone waits for the guard, which is no child of ours and so can only be seen
// by what it does.
func gone(t *testing.T, dir string, pid int) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		_, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}
