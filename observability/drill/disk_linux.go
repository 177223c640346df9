package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const diskSize = "size=2g" // in memory, of which only what is written is taken

func storeDir(data string) string { return filepath.Join(data, "config-service") }

// mountStore puts the directory of the store on a file system of its own, whose size can change.
// Where that may not be done it does nothing.
func mountStore(data string) (unmount func() error, err error) {
	dir := storeDir(data)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, diskSize); err != nil {
		return func() error { return nil }, nil
	}
	return func() error { return syscall.Unmount(dir, 0) }, nil
}

// tightDisk shrinks that file system to what is on it and a twentieth.
func tightDisk(_ context.Context, s *site) (func() error, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(storeDir(s.data), &disk); err != nil {
		return nil, err
	}
	remount := func(size string) error {
		return syscall.Mount("tmpfs", storeDir(s.data), "tmpfs", syscall.MS_REMOUNT, size)
	}
	used := (disk.Blocks - disk.Bfree) * uint64(disk.Bsize)
	if err := remount(fmt.Sprintf("size=%d", used+used/20)); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
			return nil, fmt.Errorf("%w: it needs a file system of its own, which only root may make", errNotHere)
		}
		return nil, err
	}
	return func() error { return remount(diskSize) }, nil
}
