//go:build docker && linux

package dockertest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The tests run in namespaces of their own: the engine's bridges, packet filters
// and ports collide with nobody's, and whatever way the tests end, the kernel ends
// with them every process that they have started. The test binary starts itself
// twice for that.
const (
	stageVariable = "DOCKERTEST_STAGE"
	dirVariable   = "DOCKERTEST_DIR"
	stageInit     = "init" // process 1 of the namespaces
	stageTests    = "tests"
)

func TestMain(m *testing.M) {
	switch os.Getenv(stageVariable) {
	case stageTests:
		os.Exit(m.Run())
	case stageInit:
		os.Exit(runInit())
	}
	if reason, possible := cannotRun(); reason != "" {
		fmt.Println("dockertest: SKIPPED, not run:", reason)
		if os.Getenv("CI") == "true" && possible {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runSandbox())
}

// cannotRun tells why not, and whether that could be mended here.
func cannotRun() (reason string, possible bool) {
	if os.Geteuid() != 0 {
		return "only root can start a Docker engine", false
	}
	for _, program := range []string{"dockerd", "docker", "iptables", "busybox", "haproxy"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed; scripts/test-deps docker installs it", true
		}
	}
	return "", true
}

// runSandbox makes the namespaces, waits until what runs in them has ended, and
// removes what it has left.
func runSandbox() (code int) {
	dir, err := os.MkdirTemp("", "dockertest")
	if err != nil {
		fmt.Fprintln(os.Stderr, "dockertest:", err)
		return 1
	}
	defer func() {
		if err := errors.Join(removeCgroups(filepath.Base(dir)), os.RemoveAll(dir)); err != nil {
			fmt.Fprintln(os.Stderr, "dockertest: left behind:", err)
			code = 1
		}
	}()
	cmd := again(stageInit, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "dockertest:", err)
		return 1
	}
	go func() {
		<-signals
		cmd.Process.Kill() // and with process 1 of a namespace all others in it
	}()
	if err := cmd.Wait(); err != nil {
		return 1
	}
	return 0
}

func again(stage, dir string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), stageVariable+"="+stage, dirVariable+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// runInit prepares the namespaces and does in them what process 1 has to do: it
// collects the processes that have lost their parents.
func runInit() int {
	err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		exec.Command("busybox", "ip", "link", "set", "lo", "up").Run(),
	)
	cmd := again(stageTests, os.Getenv(dirVariable))
	if err = errors.Join(err, cmd.Start()); err != nil {
		fmt.Fprintln(os.Stderr, "dockertest: preparing namespaces:", err)
		return 1
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "dockertest: waiting:", err)
			return 1
		case pid == cmd.Process.Pid && status.ExitStatus() != 0:
			return 1
		case pid == cmd.Process.Pid:
			return 0
		}
	}
}

// removeCgroups removes what containers that were killed leave: empty cgroups
// below the engine's, whose name is parent.
func removeCgroups(parent string) error {
	var dirs []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(path, "/"+parent) {
			dirs = append(dirs, path)
		}
		return nil // what vanishes meanwhile, or may not be read, is not ours
	})
	for i := len(dirs) - 1; i >= 0; i-- { // children first
		if removed := syscall.Rmdir(dirs[i]); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("%s: %w", dirs[i], removed))
		}
	}
	return err
}
