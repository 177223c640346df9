//go:build unix && !linux

package supervise

import "syscall"

// caveat is what this platform cannot keep of the package's promises.
const caveat = "only Linux ends the programs when this process is killed with SIGKILL: stop it with Ctrl-C"

// attributes keep the terminal's Ctrl-C from the process: the supervisor stops
// it, in order.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
