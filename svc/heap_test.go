package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"configservice/internal/testwait"
)

func TestHeapIsGivenLessThanTwiceWhatIsInUseOrMoreThanTheRoom(t *testing.T) {
	k := &roomKeeper{room: 64 << 20}
	for inUse, want := range map[uint64]int{0: 1600, 1 << 20: 1600, 16 << 20: 400, 64 << 20: 100, 1 << 30: 100} {
		if got := k.wanted(inUse); got != want {
			t.Errorf("with %d bytes in use it may grow by %d %%, want %d %%", inUse, got, want)
		}
	}
}

// What is in use grows and shrinks: the percentage follows each collection, and
// is what it was before in the end.
func TestRoomOfTheHeapDoesNotFollowItsUse(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	stop := leaveRoom(256 << 20)
	percent := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	kept := make([]byte, 128<<20)
	runtime.GC()
	testwait.Until(t, "the room is gone", func() bool { return percent() <= 200 })
	runtime.KeepAlive(kept)
	kept = nil
	testwait.Until(t, "there is room again", func() bool { runtime.GC(); return percent() > 400 })
	stop()
	runtime.GC()
	if p := percent(); p != 100 {
		t.Errorf("it is %d %% after the end, want what it was before", p)
	}
}
