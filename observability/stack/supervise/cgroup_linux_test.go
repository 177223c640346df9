package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/internal/testwait"
)

func TestCgroupHierarchiesAreFoundInEveryArrangement(t *testing.T) {
	const line = "33 25 0:29 / %s rw,nosuid shared:9 - %s cgroup rw,%s\n"
	v1 := func(path, options string) string { return fmt.Sprintf(line, path, "cgroup", options) }
	v2 := func(path string) string { return fmt.Sprintf(line, path, "cgroup2", "nsdelegate") }
	root := "22 1 8:1 / / rw - ext4 /dev/root rw\nnonsense\n"
	for name, test := range map[string]struct {
		mountinfo string
		mounts    []string
		unified   bool
	}{
		"version 2": {root + v2("/sys/fs/cgroup"), []string{"/sys/fs/cgroup"}, true},
		"version 1": {root + v1("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct") + v1("/sys/fs/cgroup/memory", "memory") +
			v1("/sys/fs/cgroup/cpuset", "cpuset") + v1("/sys/fs/cgroup/systemd", "name=systemd"),
			[]string{"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"}, false},
		"both":             {root + v2("/sys/fs/cgroup/unified") + v1("/sys/fs/cgroup/pids", "pids"), []string{"/sys/fs/cgroup/pids"}, false},
		"2 beside systemd": {v1("/sys/fs/cgroup/systemd", "name=systemd") + v2("/sys/fs/cgroup"), []string{"/sys/fs/cgroup"}, true},
		"none":             {root, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := findCgroups(test.mountinfo, "parent")
			if test.mounts == nil {
				if err == nil {
					t.Errorf("found %+v where there is nothing", got)
				}
				return
			}
			want := &cgroups{parent: "parent", unified: test.unified, mounts: test.mounts}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(cgroups{})); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEachProgramRunsInItsOwnCgroupWhereThatIsAllowed(t *testing.T) {
	one, two := fake(t, "one"), fake(t, "two")
	b := supervising(t, "", one, two)
	b.out.Await(t, "all healthy in", 1)
	groups := writableCgroups(t, b.super.Cgroup)
	if groups == nil {
		b.out.Await(t, "note: cAdvisor will not show every program as a container", 1)
		return // the stack goes on without; TestCgroupsThatMayNotBeMade has the rest
	}
	for _, name := range []string{"one", "two"} {
		pid := b.out.Await(t, name+` is healthy after .* \(pid (\d+)\)`, 1)[1]
		assertMember(t, groups, name, pid)
	}
	ask(t, one, "/die?status=1")
	assertMember(t, groups, "one", b.out.Await(t, `one is healthy after .* \(pid (\d+)\)`, 2)[1])

	b.stop()
	if err := b.end(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range groups.dirs("") {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind: %v", dir, err)
		}
	}
	text := b.out.String()
	if strings.Contains(text, "note:") && !strings.Contains(text, "memory controller") {
		t.Errorf("complaints although all went well:\n%s", text)
	}
}

// writableCgroups returns nil when this machine does not let the test make any.
func writableCgroups(t *testing.T, parent string) *cgroups {
	t.Helper()
	groups, err := openCgroups(parent)
	if err != nil {
		t.Logf("no cgroups here: %v", err)
		return nil
	}
	if err := groups.create("probe"); err != nil {
		t.Logf("cgroups may not be made here: %v", err)
		return nil
	}
	for _, dir := range groups.dirs("probe") {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}
	return groups
}

// assertMember reads the membership from the process's side.
func assertMember(t *testing.T, groups *cgroups, name, pid string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", pid, "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	path := regexp.QuoteMeta("/" + groups.parent + "/" + name)
	controllers := accounting
	if groups.unified {
		controllers = []string{""}
	}
	found := 0
	for _, controller := range controllers {
		found += len(regexp.MustCompile(`(?m)^\d+:([^:]+,)?`+controller+`(,[^:]+)?:`+path+`$`).FindAllString(string(text), -1))
	}
	if found < len(groups.mounts) {
		t.Errorf("%s (pid %s) is in its group in %d of %d hierarchies:\n%s", name, pid, found, len(groups.mounts), text)
	}
}

// Version 2 is tried wherever it is mounted, even without controllers.
func TestOnVersion2AProcessIsBornInItsCgroup(t *testing.T) {
	groups := version2(t)
	if groups == nil {
		return // then the stack runs without, as TestCgroupsThatMayNotBeMade shows
	}
	s := newSpawner()
	defer s.close()
	program := fake(t, "born")
	program.Command = []string{"/bin/cat", "/proc/self/cgroup"} // its first instruction but a few
	out := testwait.NewTranscript()
	stream := NewStream(out, false, program.Name)
	defer stream.Close()
	cmd := command(program, &source{stream: stream, log: out})
	started, err := groups.start(program.Name, cmd, s.start)
	if !started {
		t.Fatal(err)
	}
	<-watch(cmd).exited
	out.Await(t, `0::/`+groups.parent+`/born\n`, 1)
	if err := groups.remove(t.Context(), []string{program.Name}); err != nil {
		t.Error(err)
	}
}

func version2(t *testing.T) *cgroups {
	t.Helper()
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var only []string
	for line := range strings.Lines(string(mountinfo)) {
		if strings.Contains(line, " - cgroup2 ") {
			only = append(only, line)
		}
	}
	groups, err := findCgroups(strings.Join(only, ""), fmt.Sprintf("config-service-stack-v2-%d", os.Getpid()))
	if err == nil {
		err = groups.create("born")
	}
	if err != nil {
		t.Logf("version 2 is not to be had here: %v", err)
		return nil
	}
	return groups
}

func TestCgroupsThatMayNotBeMadeAreToldOnceAndHinderNothing(t *testing.T) {
	one, two := fake(t, "one"), fake(t, "two")
	forbidden := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(forbidden, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, unified := range []bool{false, true} {
		t.Run(fmt.Sprintf("version 2 %v", unified), func(t *testing.T) {
			refusing := func(string) (*cgroups, error) {
				return &cgroups{parent: "p", unified: unified, mounts: []string{forbidden}}, nil
			}
			b := superviseWith(t, "", func(s *Supervisor) { s.openCgroups = refusing }, one, two)
			b.out.Await(t, "all healthy in", 1)
			b.stop()
			if err := b.end(); err != nil {
				t.Error(err)
			}
			text := b.out.String()
			if n := strings.Count(text, "note: cAdvisor will not show every program"); n != 1 {
				t.Errorf("told %d times, want once:\n%s", n, text)
			}
		})
	}
}

func TestRemovingTakesOnlyWhatIsThere(t *testing.T) {
	groups := &cgroups{parent: "p", mounts: []string{t.TempDir()}}
	if err := groups.remove(t.Context(), []string{"one"}); err != nil {
		t.Errorf("although there was nothing: %v", err)
	}
	for range 2 { // the second time over what a killed stack left behind
		if err := groups.create("one"); err != nil {
			t.Fatal(err)
		}
	}
	if err := groups.remove(t.Context(), []string{"one", "two"}); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(groups.mounts[0]); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
