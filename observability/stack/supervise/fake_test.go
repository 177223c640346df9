package supervise

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the programs that the tests supervise.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "fake-program" {
		os.Exit(fakeProgram(os.Args[2:]))
	}
	os.Exit(m.Run())
}

type fakeFlags struct {
	name, listen, events, hold string
	sick, stubborn, grandchild bool
	exit                       int
}

func parseFake(args []string) fakeFlags {
	var f fakeFlags
	flags := flag.NewFlagSet("fake", flag.ExitOnError)
	flags.StringVar(&f.name, "name", "", "")
	flags.StringVar(&f.listen, "listen", "", "")
	flags.StringVar(&f.events, "events", "", "file that gets one line for each thing that happens")
	flags.StringVar(&f.hold, "hold", "", "named pipe to read to the end before stopping")
	flags.BoolVar(&f.sick, "sick", false, "unhealthy until /recover is asked for")
	flags.BoolVar(&f.stubborn, "stubborn", false, "does not stop on SIGTERM")
	flags.BoolVar(&f.grandchild, "grandchild", false, "starts a stubborn process of its own")
	flags.IntVar(&f.exit, "exit", -1, "end at once with this status")
	_ = flags.Parse(args)
	return f
}

// fakeProgram is a server that does as told by its flags, by signals and by
// requests: /healthz, /recover, /die?status=3.
func fakeProgram(args []string) int {
	f := parseFake(args)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	note(f, "start")
	fmt.Printf("%s says hello\n", f.name)
	if f.exit >= 0 {
		fmt.Print("and good-bye, without an end of line")
		return f.exit
	}
	if f.grandchild {
		startGrandchild()
	}
	status := make(chan int, 1)
	go serveFake(f, status)
	for {
		select {
		case code := <-status:
			return code
		case <-asked:
			note(f, "asked to stop")
			if f.stubborn {
				continue
			}
			if f.hold != "" {
				_, _ = os.ReadFile(f.hold)
			}
			note(f, "stop")
			return 0
		}
	}
}

func startGrandchild() {
	child := exec.Command(os.Args[0], "fake-program", "-name", "grandchild", "-stubborn", "-listen", "127.0.0.1:0")
	hello, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil { // its signal handler is in place when it says hello
		_, err = hello.Read(make([]byte, 1))
	}
	if err != nil {
		panic(err)
	}
	fmt.Printf("grandchild is %d\n", child.Process.Pid)
}

func serveFake(f fakeFlags, status chan<- int) {
	var sick atomic.Bool
	sick.Store(f.sick)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			note(f, "sick")
			http.Error(w, "still has a fever", http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/recover", func(http.ResponseWriter, *http.Request) {
		note(f, "recover")
		sick.Store(false)
	})
	http.HandleFunc("/die", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.FormValue("status"))
		status <- code
	})
	fmt.Println(http.ListenAndServe(f.listen, nil))
	status <- 99
}

// note is one write, so that lines of several programs never mix.
func note(f fakeFlags, event string) {
	if f.events == "" {
		return
	}
	file, err := os.OpenFile(f.events, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintf(file, "%s %s\n", f.name, event)
}

// fake returns a program of the table that runs the test binary.
func fake(t *testing.T, name string, flags ...string) Program {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	command := []string{os.Args[0], "fake-program", "-name", name, "-listen", address}
	return Program{
		Name:    name,
		Command: append(command, flags...),
		Env:     []string{"GORACE=atexit_sleep_ms=0"}, // else the race detector ends no program within a second
		Health:  "http://" + address + "/healthz",
	}
}
