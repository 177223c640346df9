package supervise

import "syscall"

// caveat is what this platform cannot keep of the package's promises.
const caveat = ""

// attributes keep the terminal's Ctrl-C from the process (the supervisor stops
// it, in order) and let the kernel end it when the supervisor itself is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
