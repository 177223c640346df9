package supervise

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listeners returns, for each TCP port that somebody listens on, who it is, as
// far as the caller may see it.
func listeners() map[int]string {
	ports := map[string]int{} // by the inode of the listening socket
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6 in this kernel
		}
		for line := range strings.Lines(string(text)) {
			if port, inode, ok := listening(line); ok {
				ports[inode] = port
			}
		}
	}
	return holders(ports)
}

// listening reads one line of proc_net_tcp(5).
func listening(line string) (port int, inode string, ok bool) {
	const listen = "0A"
	field := strings.Fields(line)
	if len(field) < 10 || field[3] != listen {
		return 0, "", false
	}
	local := field[1]
	number, err := strconv.ParseUint(local[strings.LastIndexByte(local, ':')+1:], 16, 16)
	return int(number), field[9], err == nil
}

// holders looks through the open files of all processes. Those of other users
// cannot be read without being root, and stay unknown.
func holders(ports map[string]int) map[int]string {
	found := map[int]string{}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // fails on a bad pattern only
	for _, file := range files {
		target, err := os.Readlink(file)
		if err != nil {
			continue
		}
		inode := strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")
		if port, ok := ports[inode]; ok && found[port] == "" {
			pid := strings.Split(file, "/")[2]
			found[port] = fmt.Sprintf("pid %s (%s)", pid, commandOf(pid))
		}
	}
	return found
}

func commandOf(pid string) string {
	const width = 100
	text, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	if err != nil {
		return "it has just ended"
	}
	line := []rune(string(bytes.TrimSpace(bytes.ReplaceAll(text, []byte{0}, []byte(" ")))))
	if len(line) > width {
		return string(line[:width]) + "..."
	}
	return string(line)
}
