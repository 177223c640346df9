package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// freeOffset finds an offset at which every port of the pipeline is free and
// below those that the kernel hands out.
func freeOffset(t *testing.T) int {
	t.Helper()
	for offset := 10000 + os.Getpid()%8000; offset < 19000; offset += 7 {
		if allFree(offset) {
			return offset
		}
	}
	t.Fatal("no offset with free ports")
	return 0
}

func allFree(offset int) bool {
	for _, program := range pipeline(options{offset: offset}, os.Getenv) {
		for _, port := range program.Ports {
			listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port.Number)))
			if err != nil {
				return false
			}
			listener.Close()
		}
	}
	return true
}

// processes returns the pids of all that run a program of the project's bin/.
func (p project) processes() []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		// A process that is only waiting to be reaped has no command line.
		command, _ := os.ReadFile(file)
		program, _, _ := bytes.Cut(command, []byte{0})
		directory, _ := os.Readlink(filepath.Join(filepath.Dir(file), "cwd"))
		if directory == p.dir && bytes.HasPrefix(program, []byte("bin/")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}
