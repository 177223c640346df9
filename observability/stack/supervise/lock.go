package supervise

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Lock makes the caller the only one to hold dir, until it calls release or
// ends in whatever way. While another process holds it, the error names its pid.
func Lock(dir string) (release func(), err error) {
	path := filepath.Join(dir, "stack.lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		return nil, heldBy(file, dir, err)
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, err
	}
	// The file stays: who removed it could remove the lock of the next one.
	return func() { file.Close() }, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func heldBy(file *os.File, dir string, err error) error {
	if err != syscall.EWOULDBLOCK {
		return fmt.Errorf("locking %s: %w", file.Name(), err)
	}
	pid, err := io.ReadAll(io.LimitReader(file, 20))
	if err != nil || len(pid) == 0 {
		pid = []byte("unknown") // it has the lock but has not yet written its pid
	}
	return fmt.Errorf("%s is in use by another stack (pid %s)", dir, strings.TrimSpace(string(pid)))
}
