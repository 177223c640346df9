package cache

// A queue has the entries in the order in which they came, and tells which of
// them is to make room: the oldest that nobody has used since it was last
// considered, going on from where the last one was found (SIEVE; Zhang et al.,
// NSDI 2024). What is asked for only once goes soon; and to use an entry moves
// nothing, which would touch others all over the memory.
type queue struct {
	oldest, newest *entry
	hand           *entry // the next to be considered; nil: the oldest
}

// maxConsidered bounds how long one search may take. Where all are used again
// and again, the next one goes as well as any.
const maxConsidered = 32

func (q *queue) push(e *entry) {
	if e.older = q.newest; e.older == nil {
		q.oldest = e
	} else {
		e.older.newer = e
	}
	q.newest = e
}

func (q *queue) remove(e *entry) {
	if q.hand == e {
		q.hand = e.newer
	}
	if e.older == nil {
		q.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	if e.newer == nil {
		q.newest = e.older
	} else {
		e.newer.older = e.older
	}
}

// next returns the entry that is to make room; there must be one.
func (q *queue) next() *entry {
	for range maxConsidered {
		if q.hand == nil {
			q.hand = q.oldest
		}
		if !q.hand.used {
			return q.hand
		}
		q.hand.used = false
		q.hand = q.hand.newer
	}
	if q.hand == nil {
		q.hand = q.oldest
	}
	return q.hand
}
