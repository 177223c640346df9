package verify

import (
	"context"
	"slices"
	"time"
)

// Served is how many requests of the API a second the service counted between
// the scrape at a moment and the one before it.
type Served struct {
	At   time.Time `json:"at"`
	Rate float64   `json:"rate"`
}

// quietBefore is how long before the run its own rate is shown, for contrast.
const quietBefore = 30 * time.Second

func (w window) served(ctx context.Context, e *Evidence) error {
	w.from = e.Load.Started.Add(-quietBefore)
	tracks, err := w.raw(ctx, duration+`_count{via="direct",http_route=~"/api/.*",`+ours+`}`)
	e.Served = servedBy(tracks)
	return err
}

// servedBy adds up what each series gained at each scrape. One that was not in
// the first scrape began at 0.
func servedBy(tracks []track) (all []Served) {
	gained := map[time.Time]float64{}
	for _, t := range tracks {
		var last float64
		for _, p := range t.points {
			gained[p.at] += max(p.value-last, 0)
			last = p.value
		}
	}
	var scrapes []time.Time
	for at := range gained {
		scrapes = append(scrapes, at)
	}
	slices.SortFunc(scrapes, time.Time.Compare)
	for i, at := range scrapes {
		if i > 0 { // the first has all that was before it
			all = append(all, Served{at, gained[at] / at.Sub(scrapes[i-1]).Seconds()})
		}
	}
	return all
}
