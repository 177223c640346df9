package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"configservice/observability/stack/supervise"
)

// checkFiles names in one message everything that must be there and is not.
func checkFiles(programs []supervise.Program) error {
	var unbuilt, missing []string
	for _, p := range programs {
		if !executable(p.Command[0]) {
			unbuilt = append(unbuilt, p.Command[0])
		}
		for _, file := range p.Files {
			if _, err := os.Stat(file); err != nil {
				missing = append(missing, file)
			}
		}
	}
	var faults []error
	if len(unbuilt) > 0 {
		faults = append(faults, fmt.Errorf("not built: %s; `make run` builds all of them, `make tools` the upstream ones",
			strings.Join(unbuilt, ", ")))
	}
	if len(missing) > 0 {
		faults = append(faults, fmt.Errorf("not found: %s; start the stack in the root of the project, or name the directory with --config",
			strings.Join(missing, ", ")))
	}
	return errors.Join(faults...)
}

// checkPorts names in one message every port that is taken, and by whom.
func checkPorts(programs []supervise.Program) error {
	taken := supervise.TakenPorts(programs)
	if len(taken) == 0 {
		return nil
	}
	var text strings.Builder
	text.WriteString("nothing was started, because ports are taken:\n")
	for _, t := range taken {
		owner := t.Owner
		if owner == "" {
			owner = "a process that cannot be seen from here"
		}
		fmt.Fprintf(&text, "  %s wants port %d (%s), held by %s\n", t.Program, t.Port.Number, t.Port.Purpose, owner)
	}
	text.WriteString("stop what holds them, or shift all ports of this stack, for example with --port-offset 10000")
	return errors.New(text.String())
}

func prepare(programs []supervise.Program) error {
	for _, p := range programs {
		if p.Prepare == nil {
			continue
		}
		if err := p.Prepare(); err != nil {
			return fmt.Errorf("preparing %s: %w", p.Name, err)
		}
	}
	return nil
}
