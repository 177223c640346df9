// Package pgtest gives tests and benchmarks a real PostgreSQL: private clusters,
// made and started for them, that are gone when they are, however those end.
package pgtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// shared is the cluster of this test binary. It is a global because a
// [testing.M] has no place to keep anything.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Main runs m's tests and then removes the cluster that [Database] may have
// started. It is for TestMain, and returns the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Database returns the URL of a new and empty database on a cluster that all
// tests of the binary share. Its user is a superuser and needs no password.
// The test binary must have a TestMain that calls [Main].
func Database(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		needPrograms(t)
		shared.cluster, shared.err = Launch()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster.Database(t)
}

// New returns a started cluster of the test's own, to be stopped and killed at
// will.
func New(t testing.TB) *Cluster {
	t.Helper()
	needPrograms(t)
	c, err := Launch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// needPrograms skips the test where PostgreSQL's programs are missing, and
// fails it in CI, where nothing is to be skipped.
func needPrograms(t testing.TB) {
	t.Helper()
	if _, err := program("initdb"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// program returns the path of one of PostgreSQL's programs. All are taken from
// where initdb is: what else has their names on the PATH may be a wrapper.
func program(name string) (string, error) {
	initdb, err := exec.LookPath("initdb")
	if err == nil {
		initdb, err = filepath.EvalSymlinks(initdb)
	}
	if err == nil {
		return filepath.Join(filepath.Dir(initdb), name), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL's program initdb is neither on the PATH nor under /usr/lib/postgresql: install it (Debian: apt install postgresql)")
	}
	return filepath.Join(filepath.Dir(found[len(found)-1]), name), nil
}

// Database returns the URL of a new and empty database, which goes with the
// cluster. Its user is a superuser and needs no password.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", c.databases.Add(1))
	if out, err := c.run("psql", "-XAtq", "-h", c.dir, "-p", c.port, "-U", superuser, "-d", "postgres",
		"-c", "CREATE DATABASE "+name); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c.URL(name)
}

// URL returns that of a database, at the cluster's Unix socket.
func (c *Cluster) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {c.dir}, "port": {c.port}}.Encode()}
	return u.String()
}

// Address returns where the cluster listens on TCP, without TLS. Users other
// than the superuser need a password there.
func (c *Cluster) Address() string { return "127.0.0.1:" + c.port }

// Exec has psql execute statements in the database at dbURL, and returns what
// they answer.
func (c *Cluster) Exec(t testing.TB, dbURL, statements string) string {
	t.Helper()
	out, err := c.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", dbURL, "-c", statements)
	if err != nil {
		t.Fatalf("%s: %v\n%s", statements, err, out)
	}
	return strings.TrimSpace(out)
}
