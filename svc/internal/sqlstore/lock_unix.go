//go:build unix

package sqlstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockOpening waits until no other process is making or changing the schema of
// the file at path, and keeps all others from it until unlock. The lock is on
// the directory: the file may not be there yet, and no further one is left.
//
// Where the file system knows no such locks, there is none, and who opens a
// new file twice at once may be told that it is locked.
func lockOpening(ctx context.Context, path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return func() {}, nil // SQLite says better what is wrong
	}
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return func() { dir.Close() }, nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, errors.Join(errors.New("another process is opening it and does not get done"), dir.Close())
		}
	}
}
