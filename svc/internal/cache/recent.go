package cache

// remembered is how many changes a read may overlap and still be kept.
const remembered = 4096

// recent remembers which resources changed last, so that a read that was under
// way meanwhile is not kept.
type recent struct {
	count int64            // of all changes so far
	ids   []string         // a ring of the last of them
	last  map[string]int64 // by id: the number of its last change
}

func newRecent() *recent {
	r := &recent{}
	r.reset()
	return r
}

// reset forgets all changes, so that no read which overlaps it is kept.
func (r *recent) reset() {
	r.count += remembered + 1
	r.ids, r.last = make([]string, remembered), map[string]int64{}
}

func (r *recent) add(id string) {
	r.count++
	slot := &r.ids[r.count%remembered]
	if r.last[*slot] == r.count-remembered {
		delete(r.last, *slot)
	}
	*slot = id
	r.last[id] = r.count
}

// changedSince reports whether one of ids has changed after the change of
// number seen, or might have.
func (r *recent) changedSince(seen int64, ids ...string) bool {
	if r.count-seen > remembered {
		return true
	}
	for _, id := range ids {
		if r.last[id] > seen {
			return true
		}
	}
	return false
}
