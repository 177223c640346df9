//go:build linux || darwin

package sqlstore

import "syscall"

// diskOf returns the function that asks the system about the file system of
// the file at path.
func diskOf(path string) func() (available, capacity int64, err error) {
	return func() (available, capacity int64, err error) {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(path, &fs); err != nil {
			return 0, 0, cannotOpen(path, err)
		}
		block := int64(fs.Bsize)
		return int64(fs.Bavail) * block, int64(fs.Blocks) * block, nil
	}
}
