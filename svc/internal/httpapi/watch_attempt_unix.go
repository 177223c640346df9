//go:build unix

package httpapi

import (
	"errors"
	"net"
	"syscall"
)

// attemptsOn returns nil when conn has no descriptor to write to.
func attemptsOn(conn net.Conn) attempt {
	described, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := described.SyscallConn()
	if err != nil {
		return nil
	}
	return func(b []byte) (n int, err error) {
		refused := raw.Write(func(fd uintptr) (done bool) {
			n, err = writeAtOnce(int(fd), b)
			return true // whatever came of it: not done would mean to wait
		})
		return n, errors.Join(refused, err)
	}
}

// writeAtOnce relies on the descriptor's not blocking, as all of Go's do.
func writeAtOnce(fd int, b []byte) (int, error) {
	for {
		n, err := syscall.Write(fd, b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}
