//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A connection carries one request at a time.
type connection struct {
	number int
	fd     int
	due    time.Time // when the request under way was to be sent
	buffer []byte
	filled int
}

func dial(address string, number int) (*connection, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Is4() {
		return nil, fmt.Errorf("%q is not an IPv4 address with a port", address)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.Connect(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}),
		unix.SetNonblock(fd, true))
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &connection{number: number, fd: fd, buffer: make([]byte, 64<<10)}, nil
}

// write sends a request. Requests are small and one at a time, so there is
// always room for them.
func (c *connection) write(request []byte) error {
	c.filled = 0
	n, err := unix.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = errors.New("a request does not fit into the socket")
	}
	return err
}

// read takes what has come. It returns the status once the answer is whole,
// else 0.
func (c *connection) read() (status int, err error) {
	if c.filled == len(c.buffer) {
		c.buffer = append(c.buffer, make([]byte, len(c.buffer))...)
	}
	n, err := unix.Read(c.fd, c.buffer[c.filled:])
	switch {
	case err == unix.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("the server closed a connection")
	}
	c.filled += n
	status, length, err := parse(c.buffer[:c.filled])
	if err != nil || status == 0 || c.filled < length {
		return 0, err
	}
	if c.filled > length {
		return 0, errors.New("the server sent more than one answer to a request")
	}
	return status, nil
}

// answer is what has come last.
func (c *connection) answer() []byte { return c.buffer[:c.filled] }

// parse returns the status of an answer and its length in bytes, or 0 while its
// head is not whole.
func parse(answer []byte) (status, length int, err error) {
	end := bytes.Index(answer, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, 0, nil
	}
	head := answer[:end+2]
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) {
		return 0, 0, fmt.Errorf("not an answer of HTTP/1.1: %q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, 0, err
	}
	if status == 204 || status == 304 {
		return status, end + 4, nil
	}
	const name = "\r\nContent-Length: " // as Go's servers write it
	at := bytes.Index(head, []byte(name))
	if at < 0 {
		return 0, 0, fmt.Errorf("an answer without Content-Length: %q", head)
	}
	value, _, _ := bytes.Cut(head[at+len(name):], []byte("\r"))
	body, err := strconv.Atoi(string(value))
	return status, end + 4 + body, err
}
