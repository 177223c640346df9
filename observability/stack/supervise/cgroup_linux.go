package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroups puts each program into a control group of its own,
// /<parent>/<program> in every hierarchy, so that cAdvisor shows it as a
// container. It measures only: no limit is set.
//
// On version 2 a process is born in its group. Version 1 has no such call: there
// it is moved right after its start, and what it used in the few microseconds
// before is booked on the group of the supervisor.
type cgroups struct {
	parent  string
	unified bool
	mounts  []string // version 2: the one; version 1: one for each controller
}

// accounting are the controllers of version 1 whose figures cAdvisor reads.
// Others want to be set up before a process may enter (cpuset) or belong to
// somebody else (systemd).
var accounting = []string{"cpu", "cpuacct", "memory", "blkio", "pids"}

// openCgroups finds the hierarchies of this machine.
func openCgroups(parent string) (*cgroups, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return findCgroups(string(mountinfo), parent)
}

// findCgroups reads the text of proc_pid_mountinfo(5). Where version 1 is
// mounted with controllers, a version 2 beside it has none and is of no use.
func findCgroups(mountinfo, parent string) (*cgroups, error) {
	var v1, v2 []string
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 5 || len(right) < 3 {
			continue
		}
		switch {
		case right[0] == "cgroup2":
			v2 = append(v2, left[4])
		case right[0] == "cgroup" && hasAccounting(right[2]):
			v1 = append(v1, left[4])
		}
	}
	switch {
	case len(v1) > 0:
		return &cgroups{parent: parent, mounts: v1}, nil
	case len(v2) > 0:
		return &cgroups{parent: parent, mounts: v2[:1], unified: true}, nil
	}
	return nil, errors.New("no cgroup file system is mounted")
}

func hasAccounting(options string) bool {
	return slices.ContainsFunc(strings.Split(options, ","), func(option string) bool {
		return slices.Contains(accounting, option)
	})
}

// start starts cmd in the group of the named program. It returns started = true
// with an error when the process runs but not, or not fully, in its group.
func (c *cgroups) start(name string, cmd *exec.Cmd, spawn func(*exec.Cmd) error) (started bool, err error) {
	if err := c.create(name); err != nil {
		return false, err
	}
	if c.unified {
		return c.startInside(name, cmd, spawn)
	}
	if err := spawn(cmd); err != nil {
		return false, err
	}
	return true, c.enter(name, cmd.Process.Pid)
}

func (c *cgroups) startInside(name string, cmd *exec.Cmd, spawn func(*exec.Cmd) error) (bool, error) {
	group, err := os.Open(c.dirs(name)[0])
	if err != nil {
		return false, err
	}
	defer group.Close()
	cmd.SysProcAttr.UseCgroupFD = true
	cmd.SysProcAttr.CgroupFD = int(group.Fd())
	if err := spawn(cmd); err != nil {
		return false, err
	}
	return true, c.lacking(name)
}

// create is content with groups that a killed stack has left behind.
func (c *cgroups) create(name string) error {
	for _, mount := range c.mounts {
		parent := filepath.Join(mount, c.parent)
		if err := mkdir(parent); err != nil {
			return err
		}
		if c.unified {
			delegate(mount)
			delegate(parent)
		}
		if err := mkdir(filepath.Join(parent, name)); err != nil {
			return err
		}
	}
	return nil
}

func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// delegate turns on in the children of dir those accounting controllers that it
// has, one by one because one refusal refuses the whole write. A refusal is
// found out by lacking.
func delegate(dir string) {
	has, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	for _, controller := range strings.Fields(string(has)) {
		if controller == "io" || slices.Contains(accounting, controller) {
			_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0)
		}
	}
}

// lacking says when memory is not accounted for in the named program's group,
// as happens where the mounted root is itself a group with processes in it.
func (c *cgroups) lacking(name string) error {
	has, err := os.ReadFile(filepath.Join(c.dirs(name)[0], "cgroup.controllers"))
	if err == nil && !slices.Contains(strings.Fields(string(has)), "memory") {
		return errors.New("the memory controller is not to be had, so cAdvisor will show no memory")
	}
	return err
}

// enter moves a process. One that has ended already needs no group.
func (c *cgroups) enter(name string, pid int) error {
	for _, dir := range c.dirs(name) {
		err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

func (c *cgroups) dirs(name string) []string {
	var dirs []string
	for _, mount := range c.mounts {
		dirs = append(dirs, filepath.Join(mount, c.parent, name))
	}
	return dirs
}

// remove takes away the groups of the named programs and then the parent.
func (c *cgroups) remove(ctx context.Context, names []string) error {
	var faults []error
	for _, name := range append(slices.Clone(names), "") {
		for _, dir := range c.dirs(name) {
			if _, err := os.Stat(dir); err == nil { // else it could not be made either
				faults = append(faults, rmdir(ctx, dir))
			}
		}
	}
	return errors.Join(faults...)
}

// rmdir is patient, because the kernel may hold a group for a moment after its
// last process has ended.
func rmdir(ctx context.Context, dir string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Rmdir(dir)
		if err == nil {
			return nil
		}
		if errors.Is(err, syscall.EBUSY) && ctx.Err() == nil {
			<-tick.C
			continue
		}
		return fmt.Errorf("removing the cgroup %s: %w", dir, err)
	}
}
