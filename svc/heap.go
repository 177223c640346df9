package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// heapRoom is by how many bytes the heap may grow between two collections of
// garbage, however little of it is in use.
const heapRoom = 64 << 20

// leaveRoom lets the heap grow by room bytes, or to twice of what is in use if
// that is more, before garbage is collected, until stop. Go's runtime by itself
// takes twice of what is in use, so that a service which has little in memory
// collects many times a second. GOMEMLIMIT holds all the same; and where GOGC
// is set, it alone does.
func leaveRoom(room uint64) (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	k := &roomKeeper{room: room, percent: 100}
	before := debug.SetGCPercent(k.percent)
	k.adjust(0)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.stopped = true
		debug.SetGCPercent(before)
	}
}

// A roomKeeper acts after each collection of garbage.
type roomKeeper struct {
	room uint64

	mu      sync.Mutex
	percent int // as set
	stopped bool
}

// adjust sets the runtime's percentage for what is in use now, and has itself
// called again after the next collection.
func (k *roomKeeper) adjust(int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	// To set it stops the program for a moment, so it is not for trifles.
	if p := k.wanted(inUse()); p*20 < k.percent*19 || p*20 > k.percent*21 {
		k.percent = p
		debug.SetGCPercent(p)
	}
	runtime.AddCleanup(new(garbage), k.adjust, 0)
}

// smallest is what the runtime takes for in use when it is less: before the
// first collection, when nothing is known to be, too.
const smallest = 4 << 20

// wanted returns by how many percent of what is in use the heap may grow.
func (k *roomKeeper) wanted(inUse uint64) int {
	return int(max(100, k.room*100/max(inUse, smallest)))
}

// garbage is collected by the next collection.
type garbage struct{ _ [32]byte }

// inUse returns how many bytes the last collection found in use, all that the
// percentage is of: the heap, stacks and globals.
func inUse() (bytes uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		bytes += s.Value.Uint64()
	}
	return bytes
}
