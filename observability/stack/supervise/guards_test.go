package supervise

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"configservice/internal/testwait"
)

func TestALockedDirectoryIsRefusedWithThePidOfItsHolder(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	if want := "(pid " + strconv.Itoa(os.Getpid()) + ")"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Lock: %v, want an error with %s and %s", err, dir, want)
	}
	release()
	again, err := Lock(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	again()
	if _, err := Lock(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("no error for a directory that is not there")
	}
}

// Linux kills a child with Pdeathsig when the thread that forked it ends.
func TestAProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	s := newSpawner()
	defer s.close()
	cmd := exec.Command(os.Args[0], "fake-program", "-listen", "127.0.0.1:0")
	cmd.SysProcAttr = attributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		started <- s.start(cmd)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	p := watch(cmd)
	endThreads()
	p.stop(testwait.Patience, t.Context())
	if p.status() == "signal: killed" {
		t.Error("the process was killed when that thread ended")
	}
}

// endThreads returns after a number of threads have come and gone.
func endThreads() {
	for range 50 {
		done := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	}
}
