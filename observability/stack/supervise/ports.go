package supervise

import (
	"net"
	"strconv"
)

// TakenPort is a port that a program wants and another process listens on.
type TakenPort struct {
	Program string
	Port    Port
	Owner   string // "pid 42 (the command)", or empty when it cannot be found
}

// TakenPorts returns every port of the programs that is not free on 127.0.0.1.
func TakenPorts(programs []Program) []TakenPort {
	var taken []TakenPort
	for _, program := range programs {
		for _, port := range program.Ports {
			if !free(port.Number) {
				taken = append(taken, TakenPort{Program: program.Name, Port: port})
			}
		}
	}
	if len(taken) == 0 {
		return nil
	}
	owners := listeners()
	for i := range taken {
		taken[i].Owner = owners[taken[i].Port.Number]
	}
	return taken
}

// free asks the kernel, by listening: a connection that is refused says only
// that nobody answers now.
func free(port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
