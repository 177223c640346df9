package watch

import (
	"context"
	"sync"

	"configservice/svc/internal/conf"
)

// maxHanded bounds what waits for the feed to take it, in bytes. What is more
// than that, the feed reads from the source.
const maxHanded = 4 << 20

// handed is what the feed's own process has committed and the feed has not
// taken yet.
type handed struct {
	some chan struct{} // holds one word that there is something

	mu     sync.Mutex
	txs    []conf.Transaction
	bytes  int
	missed bool // there was more
}

// Hand gives the feed what its own process has just committed, so that it need
// not read it back. Calls come in the order of revisions, and none is missed for
// good if it does not come. Hand never waits for the feed, and the transactions
// must not change any more.
func (f *Feed) Hand(txs []conf.Transaction) {
	f.handed.put(txs)
	select {
	case f.handed.some <- struct{}{}:
	default: // the feed is about to look anyway
	}
}

func (h *handed) put(txs []conf.Transaction) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tx := range txs {
		h.bytes += size(tx)
		if h.missed = h.missed || h.bytes > maxHanded; h.missed {
			return
		}
		h.txs = append(h.txs, tx)
	}
}

// take returns what there is, and whether that is all there was.
func (h *handed) take() (txs []conf.Transaction, all bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	txs, all = h.txs, !h.missed
	h.txs, h.bytes, h.missed = nil, 0, false
	return txs, all
}

// take publishes what was handed to the feed. Where that does not begin with
// what is next, another process has committed meanwhile, and the source knows
// all of it.
func (f *Feed) take(ctx context.Context) error {
	txs, all := f.handed.take()
	for i, tx := range txs {
		next := f.Applied() + 1
		if tx.Revision > next {
			return f.follow(ctx)
		}
		if tx.Revision < next {
			continue // the source has told it
		}
		f.publish(txs[i : i+1])
	}
	if !all {
		return f.follow(ctx)
	}
	return nil
}
