package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"configservice/internal/testwait"
)

const healthy = "all healthy in [0-9.]+ s"

func TestCtrlCStopsEverythingInReverseOrderAndLeavesNothing(t *testing.T) {
	p := newProject(t)
	s := p.start(nil)
	s.await(healthy)
	if n := len(p.processes()); n != 5 {
		t.Fatalf("%d programs run, want 5; the test would prove nothing", n)
	}
	s.signal(syscall.SIGINT)
	code, out := s.end()
	if code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	order := regexp.MustCompile(`(?m)^stack +\| (\S+) stopped \(exit status 0\)$`).FindAllStringSubmatch(out, -1)
	var stopped []string
	for _, match := range order {
		stopped = append(stopped, match[1])
	}
	service, collector := slices.Index(stopped, "config-service"), slices.Index(stopped, "otel-collector")
	if len(stopped) != 5 || stopped[0] != "viewer" || stopped[1] != "prometheus" || collector < service {
		t.Errorf("stopped in the order %v:\n%s", stopped, out)
	}
	if left := p.processes(); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

func TestProgramsStartInOrderOfNeed(t *testing.T) {
	s := newProject(t).start(nil)
	s.await(healthy)
	s.await(`viewer +\| fake listens`) // its output may come later than its health
	out := s.out.String()
	position := func(text string) int {
		at := strings.Index(out, text)
		if at < 0 {
			t.Errorf("%q is missing in:\n%s", text, out)
		}
		return at
	}
	for _, pair := range [][2]string{
		{"otel-collector is healthy", "config-service | fake listens"},
		{"config-service is healthy", "prometheus     | fake listens"},
		{"cadvisor is healthy", "prometheus     | fake listens"},
		{"prometheus is healthy", "viewer         | fake listens"},
		{"viewer is healthy", "PROGRAM"},
	} {
		if position(pair[0]) > position(pair[1]) {
			t.Errorf("%q came after %q:\n%s", pair[0], pair[1], out)
		}
	}
}

func TestSecondCtrlCKillsAtOnce(t *testing.T) {
	p := newProject(t)
	s := p.start([]string{"FAKE_STUBBORN=prometheus"})
	s.await(healthy)
	s.signal(syscall.SIGINT)
	s.await(`prometheus +\| asked to stop`)
	testwait.Until(t, "a second Ctrl-C ends the stack", func() bool {
		s.signal(syscall.SIGINT) // until it is late enough to be a second one
		return s.hasEnded()
	})
	if code, out := s.end(); code != 1 || !strings.Contains(out, "killed what had not stopped") {
		t.Errorf("exit code %d, want 1 and a word about it:\n%s", code, out)
	}
	if left := p.processes(); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

func TestOneSignalThatArrivesTwiceIsNoSecondCtrlC(t *testing.T) {
	p := newProject(t)
	s := p.start(nil)
	s.await(healthy)
	s.signal(syscall.SIGTERM)
	s.signal(syscall.SIGINT)
	if code, out := s.end(); code != 0 || !strings.Contains(out, "all stopped") {
		t.Errorf("exit code %d, want 0 after an orderly stop:\n%s", code, out)
	}
}

func TestSIGKILLOfTheStackLeavesNoProcess(t *testing.T) {
	p := newProject(t)
	s := p.start(nil)
	s.await(healthy)
	if n := len(p.processes()); n != 5 {
		t.Fatalf("%d programs run, want 5; the test would prove nothing", n)
	}
	s.signal(syscall.SIGKILL)
	s.end()
	testwait.Until(t, "no process is left", func() bool { return len(p.processes()) == 0 })

	again := p.start(nil)
	again.await(healthy) // over the lock, the cgroups and the data of the killed one
	again.signal(syscall.SIGTERM)
	if code, out := again.end(); code != 0 {
		t.Errorf("exit code %d of the next stack, want 0:\n%s", code, out)
	}
}

func TestAHangUpOfTheTerminalStopsTheStack(t *testing.T) {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // or the stack would inherit that these tests run under nohup
	defer signal.Stop(hangUps)
	p := newProject(t)
	s := p.start(nil)
	s.await(healthy)
	s.signal(syscall.SIGHUP)
	if code, out := s.end(); code != 0 || !strings.Contains(out, "all stopped") {
		t.Errorf("exit code %d, want 0 after an orderly stop:\n%s", code, out)
	}
}

func TestUnderNohupAHangUpChangesNothing(t *testing.T) {
	p := newProject(t)
	p.write("bin/nohup", "#!/bin/sh\ntrap '' HUP\nexec bin/stack\n")
	if err := os.Chmod(filepath.Join(p.dir, "bin", "nohup"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := p.startProgram("nohup", nil)
	s.await(healthy)
	s.signal(syscall.SIGHUP)
	for range 20 { // long enough for a stack that obeys
		if response, err := http.Get(options{offset: p.offset}.url(prometheusPort, "/")); err == nil {
			response.Body.Close()
		}
	}
	if out := s.out.String(); strings.Contains(out, "stopping everything") {
		t.Errorf("it stops:\n%s", out)
	}
}

func TestAVanishedReaderOfTheOutputDoesNotCutTheStopShort(t *testing.T) {
	p := newProject(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(p.dir, "bin", "stack"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, writer, writer
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", fmt.Sprintf("STACK_PORT_OFFSET=%d", p.offset))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended already if all went well
	writer.Close()
	readUntil(t, reader, "all healthy")
	reader.Close()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the stack ended with %v, want exit code 0", err)
	}
	for _, name := range []string{"otel-collector", "prometheus"} {
		if log := p.read("data/logs/" + name + ".log"); !strings.Contains(log, "asked to stop") {
			t.Errorf("%s was not stopped in order; its log:\n%s", name, log)
		}
	}
}

func readUntil(t *testing.T, reader io.Reader, text string) {
	t.Helper()
	var got []byte
	piece := make([]byte, 1024)
	for !strings.Contains(string(got), text) {
		n, err := reader.Read(piece)
		got = append(got, piece[:n]...)
		if err != nil {
			t.Fatalf("%v; read so far:\n%s", err, got)
		}
	}
}

func TestTwoStacksOnOneDataDirectoryAreRefused(t *testing.T) {
	p := newProject(t)
	first := p.start(nil)
	first.await(healthy)
	other := fmt.Sprintf("--port-offset=%d", p.offset+1000)
	code, out := p.start(nil, other).end()
	want := fmt.Sprintf("stack: data is in use by another stack (pid %d); stop that one, or choose another directory with --data\n", first.cmd.Process.Pid)
	if code != 1 || out != want {
		t.Errorf("exit code %d, want 1; output\n%swant\n%s", code, out, want)
	}
}

func TestTwoStacksRunSideBySide(t *testing.T) {
	p, q := newProject(t), newProject(t)
	first := p.start(nil)
	first.await(healthy)
	q.offset = freeOffset(t)
	second := q.start(nil)
	second.await(healthy)
	for _, s := range []*stack{first, second} {
		s.signal(syscall.SIGTERM)
		if code, out := s.end(); code != 0 || strings.Contains(out, "note:") {
			t.Errorf("exit code %d, want 0 and no complaints:\n%s", code, out)
		}
	}
}

func TestTakenPortsAreNamedTogetherBeforeAnythingStarts(t *testing.T) {
	p := newProject(t)
	var want []string
	for _, taken := range []struct {
		program string
		port    int
	}{{"otel-collector", otlpGRPCPort}, {"prometheus", prometheusPort}} {
		address := options{offset: p.offset}.address(taken.port)
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		want = append(want, fmt.Sprintf(`%s wants port %d \(.+\), held by pid %d \(.*\)`, taken.program, taken.port+p.offset, os.Getpid()))
	}
	code, out := p.start(nil).end()
	if code != 1 || !regexp.MustCompile(strings.Join(want, "\n +")).MatchString(out) || !strings.Contains(out, "--port-offset") {
		t.Errorf("exit code %d, want 1 and %q in:\n%s", code, want, out)
	}
	if strings.Contains(out, "fake listens") {
		t.Errorf("something was started:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "data", "prometheus")); err == nil {
		t.Error("data was touched")
	}
}

func TestMissingProgramsAndFilesAreNamedTogetherWithTheRemedy(t *testing.T) {
	p := newProject(t)
	for _, name := range []string{"bin/otelcol", "bin/prometheus", "observability/prometheus.yml"} {
		if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	code, out := p.start(nil).end()
	want := "stack: not built: bin/otelcol, bin/prometheus; `make run` builds all of them, `make tools` the upstream ones\n" +
		"not found: observability/prometheus.yml; start the stack in the root of the project, or name the directory with --config\n"
	if code != 1 || out != want {
		t.Errorf("exit code %d, want 1; output\n%swant\n%s", code, out, want)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "data")); err == nil {
		t.Error("data was touched")
	}
}

func TestTheServiceObeysTheUsersEnvironmentFirst(t *testing.T) {
	p := newProject(t)
	s := p.start([]string{"OTEL_METRIC_EXPORT_INTERVAL=250", "OTEL_SDK_DISABLED=true"})
	s.await(healthy)
	o := options{offset: p.offset}
	response, err := http.Get(o.url(servicePort, "/env"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(string(text), "\n")
	for _, want := range []string{
		"OTEL_METRIC_EXPORT_INTERVAL=250",
		"OTEL_SDK_DISABLED=true",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + o.url(otlpGRPCPort, ""),
		"CONFIG_SERVICE_LISTEN=" + o.address(servicePort),
		"CONFIG_SERVICE_DATABASE_URL=sqlite:data/config-service/config-service.db",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing in the service's environment", want)
		}
	}
}
