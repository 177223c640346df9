package main

import (
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The fence around heavy dependencies: a module that comes to be linked into
// the service is a decision, taken by running this test with -update.
func TestLinkedModulesAreThoseAllowed(t *testing.T) {
	linked := linkedModules(t)
	const file = "testdata/modules.txt"
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(linked, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	allowed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Fields(string(allowed)), linked); diff != "" {
		t.Errorf("modules linked into the service (-allowed +linked)\n%s", diff)
	}
	for _, heavy := range []string{"github.com/prometheus/prometheus", "go.opentelemetry.io/collector", "github.com/google/cadvisor", "github.com/open-telemetry/opentelemetry-collector-contrib"} {
		if i := slices.IndexFunc(linked, func(m string) bool { return strings.HasPrefix(m, heavy) }); i >= 0 {
			t.Errorf("the service links %s: upstream programs are run, never linked", linked[i])
		}
	}
}

func linkedModules(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// The image is built FROM scratch, so the binary must need nothing.
func TestBinaryIsStaticAndSmall(t *testing.T) {
	const maxSize = 40 << 20
	binary := filepath.Join(t.TempDir(), "config-service")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxSize {
		t.Errorf("the binary has %d bytes, more than %d", info.Size(), maxSize)
	}
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the binary wants a dynamic linker")
	}
}
