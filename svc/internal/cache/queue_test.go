package cache

import (
	"fmt"
	"testing"

	"configservice/svc/internal/conf"
)

// few returns entries with room for n of them, and a function that puts the
// i-th.
func few(n int) (es *entries, put func(i int)) {
	size := sizeOf(conf.Configuration{ID: "000"})
	es = newEntries(int64(n+1)*size+applicationOverhead, func(string) {})
	return es, func(i int) { es.put(conf.Configuration{ID: fmt.Sprintf("%03d", i)}, 0, "") }
}

func (es *entries) has(i int) bool { return es.byID[fmt.Sprintf("%03d", i)] != nil }

func (es *entries) useOf(i int) { es.peek(es.byID[fmt.Sprintf("%03d", i)], true) }

func TestWhatIsReadOnceDoesNotTakeThePlaceOfWhatIsUsed(t *testing.T) {
	es, put := few(10)
	for i := range 5 {
		put(i)
	}
	for i := 100; i < 200; i++ { // each once, as an export or a crawler would
		for used := range 5 {
			es.useOf(used)
		}
		put(i)
	}
	for i := range 5 {
		if !es.has(i) {
			t.Errorf("%d is gone, which was used all the time", i)
		}
	}
}

func TestWhatIsNoLongerUsedGoes(t *testing.T) {
	es, put := few(10)
	put(0)
	es.useOf(0)
	for i := 100; i < 150; i++ {
		put(i)
		es.useOf(i &^ 1)
	}
	if es.has(0) {
		t.Error("it is still there")
	}
}

func TestRoomIsFoundWithoutLookingAtAll(t *testing.T) {
	const n = 500
	es, put := few(n)
	for i := range n {
		put(i)
		es.useOf(i)
	}
	put(n)
	unused := 0
	for _, e := range es.byID {
		if !e.used {
			unused++
		}
	}
	if len(es.byID) > n+1 || unused > maxConsidered+1 || !es.has(n) {
		t.Errorf("of %d entries, %d were considered", len(es.byID), unused)
	}
}
