package pgtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const superuser = "postgres"

// A Cluster is one PostgreSQL server with its data directory. Its data is
// flushed to disk as in production, so that what was acknowledged survives
// [Cluster.Kill].
type Cluster struct {
	dir        string // holds the data, the log and the Unix socket
	port       string
	credential *syscall.Credential // of who runs the server; nil: ourselves
	guard      *exec.Cmd
	leash      io.Closer // the guard acts when it is closed, by us or by our end
	databases  atomic.Int64
}

// Launch returns a started cluster for a program that is no test, to be given
// back by [Cluster.Remove].
func Launch() (*Cluster, error) {
	c := &Cluster{}
	if err := c.makeDir(); err != nil {
		return nil, err
	}
	if err := c.watch(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}
	if err := errors.Join(c.initialize(), c.start()); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// makeDir makes the cluster's directory, for a user that the server agrees to
// run as: it refuses root.
func (c *Cluster) makeDir() (err error) {
	if c.dir, err = os.MkdirTemp("", "pgtest"); err != nil || os.Geteuid() != 0 {
		return err
	}
	u, err := user.Lookup(superuser)
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	c.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid)))
}

// watch starts the guard: a process that waits until its input ends and then
// stops the server and removes all. A test binary that is killed or panics
// cannot clean up, but its end ends the guard's input.
func (c *Cluster) watch() error {
	pgCtl, err := program("pg_ctl")
	if err != nil {
		return err
	}
	c.guard = c.command("/bin/sh", "-c", `read -r _; "$0" -D "$1/data" -m immediate -w stop; rm -rf "$1"`, pgCtl, c.dir)
	if c.leash, err = c.guard.StdinPipe(); err != nil {
		return err
	}
	return c.guard.Start()
}

// Process returns the id of the server's first process, whose children are all
// the others.
func (c *Cluster) Process() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// Remove stops the server and leaves nothing behind.
func (c *Cluster) Remove() error {
	return errors.Join(c.leash.Close(), c.guard.Wait())
}

// command is run as the server's user, in a process group of its own so that
// a Ctrl-C at the tests does not end it before its time.
func (c *Cluster) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PGCONNECT_TIMEOUT=30", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential, Setpgid: true}
	return cmd
}

func (c *Cluster) run(name string, args ...string) (string, error) {
	path, err := program(name)
	if err != nil {
		return "", err
	}
	out, err := c.command(path, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return string(out), err
}

// initialize makes the data directory. It is lost with the test anyway, so
// initdb need not flush it; the server flushes what it writes.
func (c *Cluster) initialize() error {
	data := filepath.Join(c.dir, "data")
	out, err := c.run("initdb", "-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(`
local all         all              trust
host  all         `+superuser+` 127.0.0.1/32 trust
host  all         all 127.0.0.1/32 scram-sha-256
`), 0o600)
}

// start starts the server, on another port when somebody else took the first.
func (c *Cluster) start() (err error) {
	for range 5 {
		if c.port, err = freePort(); err != nil {
			return err
		}
		if err = c.launch(); err == nil {
			return nil
		}
	}
	return err
}

func (c *Cluster) launch() error {
	log := filepath.Join(c.dir, "log")
	options := fmt.Sprintf("-p %s -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=on -c shared_buffers=32MB -c max_connections=100", c.port, c.dir)
	out, err := c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-l", log, "-o", options, "-w", "-t", "60", "start")
	if err != nil {
		written, _ := os.ReadFile(log) // only to be shown
		return fmt.Errorf("%w\n%s%s", err, out, written)
	}
	return nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// Stop stops the server as an administrator would: it ends every connection
// and flushes everything.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	c.control(t, "-m", "fast", "-w", "stop")
}

// Kill stops the server as a crash would, with nothing flushed that had not
// been. To recover is for the next [Cluster.Start].
func (c *Cluster) Kill(t testing.TB) {
	t.Helper()
	c.control(t, "-m", "immediate", "-w", "stop")
}

func (c *Cluster) control(t testing.TB, args ...string) {
	t.Helper()
	started := time.Now()
	args = append([]string{"-D", filepath.Join(c.dir, "data")}, args...)
	if out, err := c.run("pg_ctl", args...); err != nil {
		t.Fatalf("after %s: %v\n%s", time.Since(started), err, out)
	}
}

// Start starts the server again, on the port that it had.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if err := c.launch(); err != nil {
		t.Fatal(err)
	}
}
