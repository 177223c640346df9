//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tracecollector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"configservice/svc/bench/load"
)

// The test binary is the servers to compare with, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestBadUseIsToldInFullAndExits2(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"reads", "more", "--rounds=1", "--turn=1ms", "--size=5", "--json"}, func(string) string { return "" }, &stdout, &stderr)
	if code != exitUsage || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q", code, &stdout)
	}
	for _, want := range []string{`"more"`, "--rounds is 1", "--turn is 1ms", "--size is 5", "-json", "--help"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not name %s:\n%s", want, &stderr)
		}
	}
}

func TestProgramThatEndsAtOnceIsToldWithItsLastLines(t *testing.T) {
	_, err := program{name: "broken", command: []string{"/bin/sh", "-c", "echo no such option; exit 3"}, ready: "http://127.0.0.1:1/"}.start(t.Context(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "no such option") {
		t.Errorf("the error is %v", err)
	}
}

func TestTurnsAreCountedForTheServerThatHadThem(t *testing.T) {
	b := &bench{dir: t.TempDir(), self: os.Args[0]}
	t.Cleanup(func() { b.stop() })
	a := answer{Status: http.StatusOK, Header: [][2]string{{"Content-Length", "5"}}, Body: []byte("hello")}
	c := contest{name: "hello"}
	for _, name := range []string{"one", "other"} {
		s, err := b.startBare(t.Context(), name, "bare", a)
		if err != nil {
			t.Fatal(err)
		}
		l := load.Load{Connections: 2, Request: always(encode("GET", "/", nil, "")), Status: 200}
		c.entries = append(c.entries, entry{name, s, l})
	}
	r, err := c.run(t.Context(), 2, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if n := row.mean(allocs); n < 1 || n > 200 {
			t.Errorf("%s: %.1f allocations a request", row.Name, n)
		}
		if us := row.mean(cpuMicros); us < 1 || us > 10_000 {
			t.Errorf("%s: %.1f µs a request", row.Name, us)
		}
		if mb := row.mean(megabytes); mb < 1 || mb > 1000 {
			t.Errorf("%s: %.1f MB", row.Name, mb)
		}
	}
}

func TestRatioHasItsConfidenceInterval(t *testing.T) {
	row := func(values ...float64) (r row) {
		for _, v := range values {
			r.Samples = append(r.Samples, sample{CPUMicros: v})
		}
		return r
	}
	// The machine was twice as slow in the last round, for both.
	e := by(cpuMicros)(row(20, 22, 42), row(10, 10, 20))
	near := func(got, want float64) bool { return math.Abs(got-want) < .01 }
	if !near(e.Mean, 2.099) || !near(e.Low, 1.866) || !near(e.High, 2.361) {
		t.Errorf("it is %.3f, from %.3f to %.3f", e.Mean, e.Low, e.High)
	}
}

func TestQuantilesOfStudentsDistribution(t *testing.T) {
	for degrees, want := range map[int]float64{1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 30: 2.042} {
		if got := student(degrees); math.Abs(got-want) > .01*want {
			t.Errorf("with %d degrees of freedom it is %.3f, want %.3f", degrees, got, want)
		}
	}
}

func TestVerdictIsGivenThatTheSpreadDoesNotAllow(t *testing.T) {
	for _, c := range []struct {
		ratio estimate
		least bool
		want  string
	}{
		{estimate{1.0, .9, 1.05}, false, "met"},
		{estimate{1.0, .2, 8}, false, "undecided"},
		{estimate{1.4, 1.2, 1.6}, false, "not met"},
		{estimate{1.4, 1.2, 1.6}, true, "met"},
		{estimate{1.0, .2, 8}, true, "undecided"},
		{estimate{.9, .8, 1.05}, true, "not met"},
	} {
		if got := (bar{Ratio: c.ratio, Limit: 1.10, Least: c.least}).verdict(); got != c.want {
			t.Errorf("%v, least %v: %s, want %s", c.ratio, c.least, got, c.want)
		}
	}
}

// Each of ten rounds has a thousand answers; in one of them the machine was
// busy with something else.
func TestOneDisturbedTurnDecidesAboutTheP99(t *testing.T) {
	rows := func(usual time.Duration, disturbed int) (r row) {
		for round := range 10 {
			s := sample{latencies: new(load.Histogram)}
			for i := range 1000 {
				if round == disturbed && i < 50 {
					s.latencies.Record(100 * time.Millisecond)
				} else if i%20 == 0 {
					s.latencies.Record(usual)
				} else {
					s.latencies.Record(time.Microsecond)
				}
			}
			r.Samples = append(r.Samples, s)
		}
		return r
	}
	for _, c := range []struct {
		usual time.Duration
		want  float64
	}{{time.Millisecond, 1}, {2 * time.Millisecond, 2}} {
		e := ratioP99(rows(c.usual, 3), rows(time.Millisecond, -1))
		if math.Abs(e.Mean-c.want) > .05 || e.High-e.Low > .1 {
			t.Errorf("it is %v, want %v", e, c.want)
		}
	}
}

func TestOthersWorkDuringATurn(t *testing.T) {
	b := &bench{dir: t.TempDir(), self: os.Args[0]}
	t.Cleanup(func() { b.stop() })
	c := contest{}
	for _, name := range []string{"one", "other"} {
		s, err := b.startBare(t.Context(), name, "bare", answer{Status: http.StatusOK})
		if err != nil {
			t.Fatal(err)
		}
		s.pinned = true // to the same processor, if there were two
		c.entries = append(c.entries, entry{name: name, server: s})
	}
	// A process comes to a stop some moments after it has been told to.
	await := func(i int, stopped bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.entries[i].server.cmd.Process.Pid))
			if err == nil && strings.Contains(string(text), "State:\tT") == stopped {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("that the server %d is stopped is not %v (%v)", i, stopped, err)
			}
		}
	}
	_, err := c.alone(1, func() (sample, error) {
		await(0, true)
		await(1, false)
		return sample{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	await(0, false)
}

// A row's p99 is that of its quiet slices, and both rows have the same.
func TestSliceInWhichALoadWasHeldUpCounts(t *testing.T) {
	at := func(latency time.Duration, heldUp float64) sample {
		s := sample{Requests: 100, CPUMicros: micros(latency), HeldUpMicros: heldUp, latencies: new(load.Histogram)}
		for range s.Requests {
			s.latencies.Record(latency)
		}
		return s
	}
	r := result{"slices", []row{
		{"off", []sample{at(1000, 10), at(50_000, 10), at(2000, 999), at(90_000, 1001)}},
		{"on", []sample{at(3000, 10), at(70_000, 5000), at(4000, 10), at(80_000, 10)}},
	}}
	kept := r.undisturbed(time.Millisecond)
	for i, want := range []sample{{P50Micros: 1, P99Micros: 2, CPUMicros: 1.5, HeldUpMicros: 999}, {P50Micros: 3, P99Micros: 4, CPUMicros: 3.5, HeldUpMicros: 10}} {
		if got := kept.Rows[i].Name; got != r.Rows[i].Name || len(kept.Rows[i].Samples) != 2 {
			t.Fatalf("row %d is %q, of %d slices", i, got, len(kept.Rows[i].Samples))
		}
		s := together(kept.Rows[i].Samples)
		near := func(got, want float64) bool { return math.Abs(got-want) < .02*want+.001 }
		if s.Requests != 200 || !near(s.P99Micros, want.P99Micros) || !near(s.CPUMicros, want.CPUMicros) || s.HeldUpMicros != want.HeldUpMicros {
			t.Errorf("row %d is %+v, want %+v", i, s, want)
		}
	}
}

func TestSlicesKeepStepWithWhatIsDoneByTheClock(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		w := contest{sliced: true}.warmUp()
		if w < sliceWarmUp || w >= 2*sliceWarmUp {
			t.Errorf("a warm-up takes %s", w)
		}
		seen[w] = true
	}
	if len(seen) < 50 {
		t.Errorf("of a hundred warm-ups only %d differ", len(seen))
	}
	if w := (contest{}).warmUp(); w != warmUp {
		t.Errorf("before a whole turn it takes %s", w)
	}
}

func TestThreadOfAServerThatWasPutFirstWaitsForOthers(t *testing.T) {
	b := &bench{dir: t.TempDir(), self: os.Args[0]}
	t.Cleanup(func() { b.stop() })
	s, err := b.startBare(t.Context(), "first", "bare", answer{Status: http.StatusOK})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.putFirst(t.Context()); err != nil {
		if !strings.Contains(err.Error(), "chrt") { // that it is not allowed is told
			t.Error(err)
		}
		return
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("it has the threads %q (%v)", threads, err)
	}
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if policy := strings.Fields(rest)[41-3]; policy != "1" {
			t.Errorf("%s: the policy is %s, not SCHED_FIFO", file, policy)
		}
	}
}

func TestReceivedSpansAreMiscounted(t *testing.T) {
	spans := func(n int) *tracepb.ResourceSpans {
		return &tracepb.ResourceSpans{ScopeSpans: []*tracepb.ScopeSpans{{Spans: make([]*tracepb.Span, n)}, {Spans: make([]*tracepb.Span, 1)}}}
	}
	wire, err := proto.Marshal(&tracecollector.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{spans(3), spans(0), spans(128)}})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{}
	if err := (codec{r}).Unmarshal(wire, &tracecollector.ExportTraceServiceRequest{}); err != nil || r.spans.Load() != 134 {
		t.Errorf("%d are counted, want 134 (%v)", r.spans.Load(), err)
	}
	if err := (codec{r}).Unmarshal(wire[:len(wire)-1], &tracecollector.ExportTraceServiceRequest{}); err == nil {
		t.Error("half a message is none")
	}
}
