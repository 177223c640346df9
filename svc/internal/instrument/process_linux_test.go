package instrument

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestProcessMetricsDisagreeWithTheSystem(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	if err := Process(r.Providers); err != nil {
		t.Fatal(err)
	}
	burn(300 * time.Millisecond)
	got := r.values(t, "process.")

	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	total := seconds(time.Duration(usage.Utime.Nano() + usage.Stime.Nano()))
	cpu := got["process.cpu.time{cpu.mode=user}"] + got["process.cpu.time{cpu.mode=system}"]
	if cpu < total*.9-.05 || cpu > total+.05 {
		t.Errorf("CPU %v s, the system says %v s", cpu, total)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if rss, virtual := got["process.memory.usage{}"], got["process.memory.virtual{}"]; rss < 1<<20 || rss > virtual || virtual < float64(memory.Sys) {
		t.Errorf("resident %v, virtual %v, Go has %v from the system", rss, virtual, memory.Sys)
	}
	if uptime := got["process.uptime{}"]; uptime < .2 || uptime > 3600 {
		t.Errorf("uptime %v s", uptime)
	}
	files, err := os.ReadDir("/proc/self/fd")
	if n := got["process.unix.file_descriptor.count{}"]; err != nil || n < 3 || n > float64(len(files)+20) {
		t.Errorf("%v descriptors, %d in /proc (%v)", n, len(files), err)
	}
}

// burn uses CPU, so that there is something to measure.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		_ = make([]byte, 1<<10)
	}
}

func TestProcessThatCannotBeReadStopsTheRest(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	must[*Outcomes](t)(NewOutcomes(r.Providers))
	var reported error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = err }))
	broken := errors.New("no /proc/self/stat")
	if err := observeProcess(r.Providers, func() (processUsage, error) { return processUsage{}, broken }, time.Now()); err != nil {
		t.Fatal(err)
	}
	if n := len(r.values(t, "config.reads")); n != 6 {
		t.Errorf("%d other series, want 6", n)
	}
	if got := r.values(t, "process."); len(got) != 1 {
		t.Errorf("want the uptime alone, got %v", got)
	}
	if !errors.Is(reported, broken) {
		t.Errorf("reported %v", reported)
	}
}
