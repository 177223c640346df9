package target

import (
	"context"
	"fmt"
	"sync"
	"time"

	"configservice/observability/loadtest/load"
)

// arriveWithin is how long after the load its last change may take to arrive at
// every watcher.
const arriveWithin = 10 * time.Second

// Propagation is how changes reached watchers, as these saw it.
type Propagation struct {
	Watchers int               `json:"watchers"`
	Changes  int               `json:"changes"`  // committed while all were watching
	Arrived  int64             `json:"arrived"`  // events of those changes, over all watchers
	Missing  int64             `json:"missing"`  // events that never came
	Repeated int64             `json:"repeated"` // events that came twice
	Disorder int64             `json:"disorder"` // events that came after a later one
	Took     load.Distribution `json:"took"`     // from the sending of the change to its arrival
}

// Watchers are streams that are open while a load runs.
type Watchers struct {
	world *World
	all   []*watcher
	end   context.CancelFunc
	done  sync.WaitGroup
}

// A watcher notes what arrives, to be compared when it is known what was sent.
type watcher struct {
	application string
	stream      *Stream

	mu       sync.Mutex
	arrivals []arrival
	failure  error
}

type arrival struct {
	revision int64
	at       time.Time
}

// Watch opens n streams, spread over the applications, and returns when each is
// known to get what happens from now on. Result ends them.
func (w *World) Watch(ctx context.Context, n int) (*Watchers, error) {
	ctx, cancel := context.WithCancel(ctx)
	ws := &Watchers{world: w, end: cancel}
	for i := range n {
		a := w.applications[i%len(w.applications)]
		stream, err := w.client.Watch(ctx, a.ID)
		if err == nil {
			_, err = stream.Next() // where the stream begins
		}
		if err != nil {
			cancel()
			ws.done.Wait()
			return nil, fmt.Errorf("opening watcher %d of %d: %w", i+1, n, err)
		}
		x := &watcher{application: a.ID, stream: stream}
		ws.all = append(ws.all, x)
		ws.done.Go(x.follow)
	}
	w.forgetChanges()
	return ws, nil
}

func (x *watcher) follow() {
	defer x.stream.Close()
	for {
		event, err := x.stream.Next()
		at := time.Now()
		x.mu.Lock()
		if err != nil {
			x.failure = err
			x.mu.Unlock()
			return
		}
		if event.Kind == "change" {
			x.arrivals = append(x.arrivals, arrival{event.Revision, at})
		}
		x.mu.Unlock()
	}
}

// Result waits until every change has arrived everywhere, or long enough, ends
// the streams and returns what became of them.
func (ws *Watchers) Result() Propagation {
	deadline := time.Now().Add(arriveWithin)
	p := ws.tally()
	for ; p.Missing > 0 && time.Now().Before(deadline); p = ws.tally() {
		time.Sleep(50 * time.Millisecond)
	}
	ws.end()
	ws.done.Wait()
	return p
}

func (ws *Watchers) tally() Propagation {
	took := load.NewHistogram()
	changes := ws.world.changesSoFar()
	p := Propagation{Watchers: len(ws.all)}
	for _, of := range changes {
		p.Changes += len(of)
	}
	for _, x := range ws.all {
		x.tally(changes[x.application], &p, took)
	}
	p.Took = took.Distribution()
	return p
}

func (x *watcher) tally(sent map[int64]time.Time, p *Propagation, took *load.Histogram) {
	x.mu.Lock()
	defer x.mu.Unlock()
	seen := map[int64]bool{}
	var newest int64
	for _, a := range x.arrivals {
		at, known := sent[a.revision]
		switch {
		case seen[a.revision]:
			p.Repeated++
		case a.revision < newest:
			p.Disorder++
		}
		newest = max(newest, a.revision)
		if known && !seen[a.revision] {
			p.Arrived++
			took.Record(a.at.Sub(at))
		}
		seen[a.revision] = true
	}
	for revision := range sent {
		if !seen[revision] {
			p.Missing++
		}
	}
}
