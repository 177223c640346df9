package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The bytes of SQLite's -shm file that stand for its locks in WAL mode:
// https://www.sqlite.org/walformat.html#wal_locks
const (
	writeLock = 120
	allLocks  = 8 // from the write lock on: checkpointer, recovery and five readers
)

// lockStore takes locks of the SQLite store away from the service, as another process with a
// long transaction would. It has them as soon as the service, which holds them for milliseconds,
// gives them back: to ask now and then would find a busy service holding them.
func lockStore(s *site, count int64) (unlock func() error, err error) {
	file, err := os.OpenFile(filepath.Join(storeDir(s.data), "config-service.db-shm"), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: writeLock, Len: count}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLKW, &lock); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the store: %w", err), file.Close())
	}
	return file.Close, nil // which gives the locks back
}

// nothingIsWritten makes twenty callers write to a store that another process has locked.
func nothingIsWritten(ctx context.Context, s *site) (func() error, error) {
	stop, err := s.write(ctx, writers{count: 20, bytes: 100})
	if err != nil {
		return nil, err
	}
	unlock, err := lockStore(s, 1)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return func() error { return errors.Join(unlock(), stop()) }, nil
}

func storeStandsStill(_ context.Context, s *site) (func() error, error) {
	return lockStore(s, allLocks)
}

// slowWrites locks the store for 300 ms at a time, with enough time between that SQLite, which asks
// for its lock again after up to 100 ms, gets it each time: no write fails.
func slowWrites(ctx context.Context, s *site) (func() error, error) {
	stop, err := s.write(ctx, writers{count: 20, bytes: 100, every: 200 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	pulses := repeat(ctx, 450*time.Millisecond, func(ctx context.Context) error {
		unlock, err := lockStore(s, 1)
		if err != nil {
			return err
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
		return unlock()
	})
	return func() error { return errors.Join(pulses(), stop()) }, nil
}
