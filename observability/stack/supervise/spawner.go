package supervise

import (
	"os/exec"
	"runtime"
)

// spawner starts every process from one OS thread that lives as long as the
// supervisor. Linux kills a child by Pdeathsig when the *thread* that forked it
// ends, not the process, and the Go runtime may end a thread at any time unless
// a goroutine is locked to it.
type spawner struct{ jobs chan func() }

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.jobs <- func() { result <- cmd.Start() }
	return <-result
}

// close ends the thread, and with it every process that still runs.
func (s *spawner) close() { close(s.jobs) }
