package supervise

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// pipeGrace is how long output is still read after a process has ended, when a
// child of its own keeps the pipe open.
const pipeGrace = time.Second

// process is one run of a program.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed once the process has been reaped and its output read
}

// watch returns the process that cmd has started.
func watch(cmd *exec.Cmd) *process {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ProcessState tells more than the error does
		// Whatever the program started and did not take along.
		p.signal(syscall.SIGKILL)
		close(p.exited)
	}()
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// status is "exit status 3" or "signal: killed". Valid after exited is closed.
func (p *process) status() string { return p.cmd.ProcessState.String() }

// signal sends to the whole process group, which start made the process's own.
func (p *process) signal(sig syscall.Signal) { _ = syscall.Kill(-p.pid(), sig) }

// stop returns when the process has ended: on SIGTERM, or on SIGKILL if that
// took longer than within, or if kill was done. It tells whether it was gentle.
func (p *process) stop(within time.Duration, kill context.Context) bool {
	p.signal(syscall.SIGTERM)
	patience := time.NewTimer(within)
	defer patience.Stop()
	select {
	case <-p.exited:
		return true
	case <-patience.C:
	case <-kill.Done():
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
	return false
}
