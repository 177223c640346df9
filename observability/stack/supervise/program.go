// Package supervise runs a set of programs that need one another as one: it
// starts them in order of need, restarts those that die, merges their output,
// and leaves no process behind. It knows nothing about what the programs do.
package supervise

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Program is one entry in the table of what a stack runs. Adding a program to a
// stack means adding a value of this type, nothing else.
type Program struct {
	Name    string   // unique; names the output lines, the log file and the cgroup
	Command []string // path of the program, then its arguments
	Env     []string // KEY=VALUE, added to the environment of the supervisor
	Ports   []Port   // on 127.0.0.1; checked before anything starts
	Health  string   // URL that answers 2xx once the program does its work
	URL     string   // what the table tells people to open; Health when empty
	Needs   []string // names of programs that are healthy before this one starts
	Files   []string // paths that exist before anything starts

	// Prepare, if any, writes what the program wants to find when it starts. It
	// is called once, before any program starts.
	Prepare func() error

	HealthyWithin time.Duration // from start to healthy; 0 means a minute
	StopWithin    time.Duration // from SIGTERM to SIGKILL; 0 means ten seconds
}

// Port is a TCP port on which a program listens.
type Port struct {
	Number  int
	Purpose string // what people call it: "OTLP gRPC"
}

func (p Program) url() string {
	if p.URL != "" {
		return p.URL
	}
	return p.Health
}

func (p Program) healthyWithin() time.Duration {
	if p.HealthyWithin > 0 {
		return p.HealthyWithin
	}
	return time.Minute
}

func (p Program) stopWithin() time.Duration {
	if p.StopWithin > 0 {
		return p.StopWithin
	}
	return 10 * time.Second
}

// validate finds the mistakes that would make a supervisor wait forever: needs
// that nobody fulfils, needs that go round in a circle, a name used twice.
func validate(programs []Program) error {
	byName := map[string]Program{}
	var faults []error
	for _, p := range programs {
		if _, twice := byName[p.Name]; twice {
			faults = append(faults, fmt.Errorf("two programs are called %s", p.Name))
		}
		byName[p.Name] = p
	}
	for _, p := range programs {
		for _, need := range p.Needs {
			if _, known := byName[need]; !known {
				faults = append(faults, fmt.Errorf("%s needs %s, which is not in the table", p.Name, need))
			}
		}
		if needsItself(byName, p.Name, p.Name, nil) {
			faults = append(faults, fmt.Errorf("%s needs itself, by way of others", p.Name))
		}
	}
	return errors.Join(faults...)
}

// needsItself tells whether the needs of from lead to target. The programs in
// seen are on the way already, so a circle that misses target ends too.
func needsItself(byName map[string]Program, from, target string, seen []string) bool {
	if slices.Contains(seen, from) {
		return false
	}
	return slices.ContainsFunc(byName[from].Needs, func(need string) bool {
		return need == target || needsItself(byName, need, target, append(seen, from))
	})
}
