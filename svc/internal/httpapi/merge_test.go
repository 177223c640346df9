package httpapi

import (
	"runtime"
	"strings"
	"testing"
)

// A patch that is deep and large may not cost its depth times its size: one
// such request would take the service down.
func TestMergePatchCostsNoMoreThanItsSize(t *testing.T) {
	const depth = 2000
	deep := []byte(strings.Repeat(`{"a":`, depth) + `"` + strings.Repeat("x", 100_000) + `"` + strings.Repeat("}", depth))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	merged, err := mergePatch(deep, deep)
	runtime.ReadMemStats(&after)
	if err != nil || string(merged) != string(deep) {
		t.Errorf("merged with itself it is %d bytes for %d, %v", len(merged), len(deep), err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 100*uint64(len(deep)) {
		t.Errorf("it took %d bytes of memory to merge %d", spent, len(deep))
	}
}
