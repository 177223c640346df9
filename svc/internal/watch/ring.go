package watch

import "sort"

// A ring keeps the latest events, as many as fit into its bytes and always the
// last one. Each has a position, which only ever grows.
type ring struct {
	limit  int // bytes
	bytes  int
	first  uint64 // the position of events[0]
	events []*Event
	floor  int64  // every event after this revision is here
	reset  uint64 // who is at a position before this must resync
}

func (r *ring) end() uint64 { return r.first + uint64(len(r.events)) }

func (r *ring) at(position uint64) *Event { return r.events[position-r.first] }

// push adds e and calls evicted for each event that makes room for it.
func (r *ring) push(e *Event, evicted func(*Event)) {
	r.events = append(r.events, e)
	r.bytes += e.size
	for r.bytes > r.limit && len(r.events) > 1 {
		old := r.events[0]
		r.events[0] = nil // or the array would keep it alive
		r.events = r.events[1:]
		r.first, r.floor, r.bytes = r.first+1, old.Revision, r.bytes-old.size
		evicted(old)
	}
}

// restart forgets all events: those after revision are to come. Nobody's
// position is good any more.
func (r *ring) restart(revision int64) {
	r.first, r.events, r.bytes, r.floor = r.end()+1, nil, 0, revision
	r.reset = r.first
}

// after returns the position of the first event after a revision, or false
// when some of those are gone.
func (r *ring) after(revision int64) (uint64, bool) {
	i := sort.Search(len(r.events), func(i int) bool { return r.events[i].Revision > revision })
	return r.first + uint64(i), revision >= r.floor
}
