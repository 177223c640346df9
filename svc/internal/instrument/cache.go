package instrument

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A cache keeps values by key, at most limit of them. Reading takes no lock
// and allocates nothing, which sync.Map cannot do for keys that are not
// pointers; adding copies the map, which happens once a key.
type cache[K comparable, V any] struct {
	limit   int
	mu      sync.Mutex
	entries atomic.Pointer[map[K]V]
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	c := &cache[K, V]{limit: limit}
	c.entries.Store(&map[K]V{})
	return c
}

func (c *cache[K, V]) load(k K) (V, bool) {
	v, ok := (*c.entries.Load())[k]
	return v, ok
}

func (c *cache[K, V]) full() bool {
	return len(*c.entries.Load()) >= c.limit
}

// store adds v unless the cache is full.
func (c *cache[K, V]) store(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full() {
		return
	}
	entries := maps.Clone(*c.entries.Load())
	entries[k] = v
	c.entries.Store(&entries)
}
