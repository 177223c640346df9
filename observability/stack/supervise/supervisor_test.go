package supervise

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/internal/testwait"
)

func TestAProgramWaitsForTheHealthOfWhatItNeedsAndForNothingElse(t *testing.T) {
	events := eventsFile(t)
	slow := fake(t, "slow", "-events", events, "-sick")
	other := fake(t, "other", "-events", events)
	needy := fake(t, "needy", "-events", events)
	needy.Needs = []string{"slow", "other"}
	b := supervising(t, events, needy, slow, other)

	b.out.Await(t, "other is healthy", 1)
	b.awaitEvent("slow sick", 20) // long enough for a supervisor that does not wait
	ask(t, slow, "/recover")
	b.out.Await(t, "all healthy in", 1)

	lines := strings.Split(readEvents(t, events), "\n")
	if recovered, started := slices.Index(lines, "slow recover"), slices.Index(lines, "needy start"); started < recovered {
		t.Errorf("needy started before slow was healthy:\n%s", strings.Join(lines, "\n"))
	}
}

func TestWhenAllIsUpATableSaysWhatRunsWhereAndHowToStopIt(t *testing.T) {
	one, two := fake(t, "one"), fake(t, "two")
	two.URL = "http://two.example/"
	b := supervising(t, "", one, two)
	b.out.Await(t, "all healthy in", 1)

	b.out.Await(t, `(?m)^  PROGRAM +PID +URL +LOG FILE$`, 1)
	log := b.out.Await(t, `(?m)^  one +\d+ +`+regexp.QuoteMeta(one.Health)+` +(\S+)$`, 1)[1]
	pid := b.out.Await(t, `(?m)^  two +(\d+) +http://two.example/ +\S+$`, 1)[1]
	b.out.Await(t, `(?m)^  how to stop$`, 1)
	if !running(number(t, pid)) {
		t.Errorf("the table names pid %s, which does not run", pid)
	}
	testwait.Until(t, "the log file has what the program wrote", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && string(text) == "one says hello\n"
	})
}

func TestADyingProgramIsRestartedAfterGrowingPauses(t *testing.T) {
	p := fake(t, "mortal")
	b := supervising(t, "", p)
	for i, pause := range []string{"10ms", "20ms", "40ms"} {
		b.out.Await(t, "mortal is healthy", i+1)
		ask(t, p, "/die?status=3")
		b.out.Await(t, `mortal ended \(exit status 3\); restarts in `+pause, 1)
	}
	pid := number(t, b.out.Await(t, `mortal is healthy after .* \(pid (\d+)\)`, 4)[1])
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.out.Await(t, `mortal ended \(signal: killed\); restarts in 80ms`, 1)
	b.out.Await(t, "mortal is healthy", 5)
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v, want nil after a stop", err)
	}
}

func TestARestartThatStaysSickIsTriedAgainAndNeverEndsTheStack(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	// A second process of this program finds the marker and is sick.
	p := fake(t, "relapsing")
	healthy := strings.Join(p.Command, " ")
	script := "if [ -e MARKER ]; then exec HEALTHY -sick; fi; : > MARKER; exec HEALTHY"
	p.Command = []string{"/bin/sh", "-c", strings.NewReplacer("MARKER", marker, "HEALTHY", healthy).Replace(script)}
	p.HealthyWithin = 2 * time.Second
	b := supervising(t, "", p)
	b.out.Await(t, "relapsing is healthy", 1)
	ask(t, p, "/die?status=1")
	b.out.Await(t, `relapsing not healthy within 2s: .*503.*still has a fever; restarts in 20ms`, 1)
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v, want nil after a stop", err)
	}
}

func TestOneThatNeverGetsHealthyStopsAllAndIsNamedWithItsReason(t *testing.T) {
	events := eventsFile(t)
	fine := fake(t, "fine", "-events", events)
	sick := fake(t, "sick", "-events", events, "-sick")
	sick.Needs, sick.HealthyWithin = []string{"fine"}, 2*time.Second
	never := fake(t, "never", "-events", events)
	never.Needs = []string{"sick"}
	b := supervising(t, events, fine, sick, never)

	err := b.end()
	var fault *StartError
	if !errors.As(err, &fault) || fault.Program != "sick" {
		t.Fatalf("Run: %v, want a StartError of sick", err)
	}
	for _, part := range []string{"sick did not start", "not healthy within 2s", "503", "still has a fever", "sick says hello", "sick.log"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in: %v", part, err)
		}
	}
	got := readEvents(t, events)
	if !strings.Contains(got, "fine stop\n") || strings.Contains(got, "never start") {
		t.Errorf("want fine stopped and never not started:\n%s", got)
	}
	b.out.Await(t, "stopping everything: sick did not start: not healthy", 1)
}

func TestOneThatEndsBeforeItIsHealthyIsToldWithItsStatusAndLastLines(t *testing.T) {
	b := supervising(t, "", fake(t, "early", "-exit", "7"))
	err := b.end()
	for _, part := range []string{"early did not start", "exit status 7", "early says hello", "and good-bye, without an end of line"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in: %v", part, err)
		}
	}
}

func TestAProgramThatCannotBeExecutedIsNamed(t *testing.T) {
	p := fake(t, "ghost")
	p.Command = []string{filepath.Join(t.TempDir(), "no-such-program")}
	err := supervising(t, "", p).end()
	if err == nil || !strings.Contains(err.Error(), "ghost did not start: cannot be started") {
		t.Errorf("Run: %v", err)
	}
}

func TestStopsInReverseOrderOfNeed(t *testing.T) {
	events, hold := eventsFile(t), filepath.Join(t.TempDir(), "hold")
	if err := syscall.Mkfifo(hold, 0o600); err != nil {
		t.Fatal(err)
	}
	base := fake(t, "base", "-events", events)
	middle := fake(t, "middle", "-events", events)
	top := fake(t, "top", "-events", events, "-hold", hold)
	middle.Needs, top.Needs = []string{"base"}, []string{"middle"}
	b := supervising(t, events, base, middle, top)
	b.out.Await(t, "all healthy in", 1)
	b.stop()

	b.awaitEvent("top asked to stop", 1)
	for range 20 { // long enough for a supervisor that does not wait
		ask(t, middle, "/healthz")
		ask(t, base, "/healthz")
	}
	release, err := os.OpenFile(hold, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	release.Close()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v", err)
	}
	want := "top asked to stop\ntop stop\nmiddle asked to stop\nmiddle stop\nbase asked to stop\nbase stop\n"
	_, got, _ := strings.Cut(readEvents(t, events), "top start\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of stopping (-want +got):\n%s", diff)
	}
}

func TestStopBeforeAllIsUpStopsWhatHasStarted(t *testing.T) {
	events := eventsFile(t)
	slow := fake(t, "slow", "-events", events, "-sick")
	never := fake(t, "never", "-events", events)
	never.Needs = []string{"slow"}
	b := supervising(t, events, slow, never)
	b.awaitEvent("slow sick", 1)
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v, want nil: it was asked to stop", err)
	}
	got := readEvents(t, events)
	if !strings.Contains(got, "slow stop\n") || strings.Contains(got, "never") {
		t.Errorf("want slow stopped and never not started:\n%s", got)
	}
}

func TestAStubbornProgramIsKilledAfterItsDeadline(t *testing.T) {
	p := fake(t, "mule", "-stubborn")
	p.StopWithin = 50 * time.Millisecond
	b := supervising(t, "", p)
	pid := number(t, b.out.Await(t, `mule is healthy after .* \(pid (\d+)\)`, 1)[1])
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v", err)
	}
	b.out.Await(t, "mule killed: it had not stopped after 50ms", 1)
	if running(pid) {
		t.Errorf("pid %d still runs", pid)
	}
}

func TestKillEndsStubbornProgramsAtOnce(t *testing.T) {
	events := eventsFile(t)
	base := fake(t, "base", "-stubborn", "-events", events)
	top := fake(t, "top", "-stubborn", "-events", events)
	base.StopWithin, top.StopWithin = time.Hour, time.Hour
	top.Needs = []string{"base"}
	b := supervising(t, events, base, top)
	b.out.Await(t, "all healthy in", 1)
	b.stop()
	b.awaitEvent("top asked to stop", 1)
	b.kill()
	if err := b.end(); !errors.Is(err, ErrKilled) {
		t.Errorf("Run: %v, want ErrKilled", err)
	}
}

func TestAStopDoesNotWaitForTheNextRestart(t *testing.T) {
	p := fake(t, "mortal")
	b := superviseWith(t, "", func(s *Supervisor) { s.Pace.FirstPause = time.Hour }, p)
	b.out.Await(t, "mortal is healthy", 1)
	ask(t, p, "/die?status=0")
	b.out.Await(t, `mortal ended \(exit status 0\); restarts in 1h0m0s`, 1)
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestWhatAProgramStartedIsNotLeftBehind(t *testing.T) {
	b := supervising(t, "", fake(t, "parent", "-grandchild"))
	pid := number(t, b.out.Await(t, `grandchild is (\d+)`, 1)[1])
	b.out.Await(t, "all healthy in", 1)
	if !running(pid) {
		t.Fatalf("grandchild %d does not run; the test would prove nothing", pid)
	}
	b.stop()
	if err := b.end(); err != nil {
		t.Errorf("Run: %v", err)
	}
	testwait.Until(t, "the grandchild is gone", func() bool { return !running(pid) })
}

func TestTablesThatWouldWaitForeverAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		programs []Program
		want     string
	}{
		"unknown need": {[]Program{{Name: "a", Needs: []string{"b"}}}, "a needs b, which is not in the table"},
		"itself":       {[]Program{{Name: "a", Needs: []string{"a"}}}, "a needs itself, by way of others"},
		"circle": {[]Program{{Name: "a", Needs: []string{"b"}}, {Name: "b", Needs: []string{"a"}}, {Name: "c", Needs: []string{"a"}}},
			"a needs itself, by way of others\nb needs itself, by way of others"},
		"twice":   {[]Program{{Name: "a"}, {Name: "a"}}, "two programs are called a"},
		"diamond": {[]Program{{Name: "a"}, {Name: "b", Needs: []string{"a"}}, {Name: "c", Needs: []string{"a"}}, {Name: "d", Needs: []string{"b", "c"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := validate(test.programs); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBackoffDoublesUpToItsLimitAndBeginsAgainAfterAGoodRun(t *testing.T) {
	b := backoff{first: 1, most: 5, ranWell: 100}
	var got []time.Duration
	for _, ran := range []time.Duration{0, 0, 99, 0, 0, 100, 0} {
		got = append(got, b.next(ran))
	}
	if diff := cmp.Diff([]time.Duration{1, 2, 4, 5, 5, 1, 2}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
