package supervise

import (
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTakenPortsAreToldAllTogetherWithTheirOwner(t *testing.T) {
	v4, port4 := listen(t, "127.0.0.1:0")
	defer v4.Close()
	v6, port6 := listen(t, "[::]:0")
	defer v6.Close()
	idle, free := listen(t, "127.0.0.1:0")
	idle.Close()
	owner := "pid " + strconv.Itoa(os.Getpid()) + " (" + commandOf("self") + ")"
	got := TakenPorts([]Program{
		{Name: "one", Ports: []Port{{port4, "HTTP"}, {free, "free"}}},
		{Name: "two", Ports: []Port{{port6, "metrics"}}},
	})
	want := []TakenPort{
		{Program: "one", Port: Port{port4, "HTTP"}, Owner: owner},
		{Program: "two", Port: Port{port6, "metrics"}, Owner: owner},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func listen(t *testing.T, address string) (net.Listener, int) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener, listener.Addr().(*net.TCPAddr).Port
}
