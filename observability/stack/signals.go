package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// untilSignalled returns a context that is done after the first Ctrl-C, SIGTERM
// or hang-up of the terminal, and one that is done after the second.
//
// The signals stay taken after release: one more Ctrl-C in the last moment of the
// process must not change its exit code.
//
// SIGPIPE is taken and ignored: in `make run | tee file`, Ctrl-C ends tee as
// well, and the next line of output would end the stack amid its orderly stop.
func untilSignalled(parent context.Context) (stop, kill context.Context, release func()) {
	stop, cancelStop := context.WithCancel(parent)
	kill, cancelKill := context.WithCancel(context.WithoutCancel(parent))
	signals, broken := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(signals, asking()...)
	signal.Notify(broken, syscall.SIGPIPE)
	over := make(chan struct{})
	go func() {
		if receive(signals, over) {
			cancelStop()
			ignoreEchoes(signals, over)
			cancelKill()
		}
	}()
	return stop, kill, func() {
		close(over)
		cancelStop()
		cancelKill()
	}
}

func receive(signals <-chan os.Signal, over <-chan struct{}) bool {
	select {
	case <-signals:
		return true
	case <-over:
		return false
	}
}

// ignoreEchoes returns at the next signal that somebody means. One signal often
// arrives twice, as when make and its whole process group are told to end; no
// person presses Ctrl-C again as fast.
func ignoreEchoes(signals <-chan os.Signal, over <-chan struct{}) {
	const echo = 500 * time.Millisecond
	began := time.Now()
	for receive(signals, over) && time.Since(began) < echo {
		continue
	}
}

// asking are the signals that ask for an end. Who started the stack with nohup
// does not want it to end with the terminal.
func asking() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
}
