package supervise

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// openGroups finds out where the programs' control groups go. Without any the
// programs run all the same; cAdvisor does not show them then.
func (s *Supervisor) openGroups() {
	if caveat != "" {
		s.say("note: %s", caveat)
	}
	open := openCgroups
	if s.openCgroups != nil {
		open = s.openCgroups
	}
	groups, err := open(s.Cgroup)
	if err != nil {
		s.withoutGroups(err)
	}
	s.groups = groups
}

func (s *Supervisor) withoutGroups(err error) {
	s.noGroups.Do(func() {
		s.say("note: cAdvisor will not show every program as a container: %v", err)
	})
}

func (s *Supervisor) closeGroups() {
	if s.groups == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	names := []string{}
	for _, p := range s.Programs {
		names = append(names, p.Name)
	}
	if err := s.groups.remove(ctx, names); err != nil {
		s.say("note: %v", err)
	}
}

// launch starts one process of p, in its group if it may, else without.
func (s *Supervisor) launch(p Program, output *source) (*process, error) {
	cmd := command(p, output)
	started, inGroup := false, error(nil)
	if s.groups != nil {
		started, inGroup = s.groups.start(p.Name, cmd, s.spawner.start)
	}
	if !started {
		cmd = command(p, output) // a Cmd starts only once, even in vain
		if err := s.spawner.start(cmd); err != nil {
			return nil, fmt.Errorf("cannot be started: %w", err)
		}
	}
	if inGroup != nil {
		s.withoutGroups(inGroup)
	}
	return watch(cmd), nil
}

func command(p Program, output *source) *exec.Cmd {
	cmd := exec.Command(p.Command[0], p.Command[1:]...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = attributes()
	cmd.WaitDelay = pipeGrace
	return cmd
}
