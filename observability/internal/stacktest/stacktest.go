// Package stacktest runs a native stack for as long as a test lasts.
package stacktest

import (
	"path/filepath"
	"testing"

	"configservice/internal/testwait"
	"configservice/observability/internal/nativestack"
)

// Start returns when every program is healthy. root is the way from the test's directory to the root of
// the project; a directory for data that the options lack is made. Where the programs are not built the
// test is skipped, and fails in CI. A test that failed shows what the stack said.
func Start(t *testing.T, root string, o nativestack.Options) *nativestack.Stack {
	t.Helper()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stack", "config-service", "otelcol", "cadvisor", "prometheus", "viewer", "loadtest"} {
		testwait.Built(t, filepath.Join(top, "bin", name))
	}
	o.Root = top
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	stack, err := nativestack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(stack.Said())
		}
	})
	return stack
}
