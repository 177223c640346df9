package verify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/target"
)

const (
	probeEvery = 500 * time.Millisecond
	emptyEvery = 10 * time.Millisecond
	mostEmpty  = 32 // requests that do nothing and are under way at a time
)

// A prober measures how fresh Prometheus is. Its requests are of a series that
// nobody else uses, so its n-th request is there when the series shows n more
// than before.
type prober struct {
	client *target.Client
	prom   promQL

	mu    sync.Mutex
	base  map[string]int64 // by path
	sent  []time.Time
	seen  map[string][]time.Time // by path
	empty *load.Histogram        // of requests that do nothing
}

func newProber(c *target.Client, p promQL) *prober {
	return &prober{
		client: c, prom: p, empty: load.NewHistogram(),
		base: map[string]int64{}, seen: map[string][]time.Time{"direct": nil, "collector": nil},
	}
}

// begin takes what the series show before the first probe.
func (p *prober) begin(before []Snapshot) {
	series := target.Probe()
	p.base["direct"], p.base["collector"] = before[2].Counts[series], before[3].Counts[series]
}

func (p *prober) send(ctx context.Context) {
	var empties sync.WaitGroup
	defer empties.Wait()
	empties.Go(func() { p.sendEmpty(ctx) })
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-probe.C:
			p.probe(ctx)
			p.look(ctx)
		}
	}
}

// sendEmpty does not wait for one answer before the next request: where answers
// are slow, it would ask less often, and the slow ones would be too few.
func (p *prober) sendEmpty(ctx context.Context) {
	var underWay sync.WaitGroup
	defer underWay.Wait()
	free := make(chan struct{}, mostEmpty)
	tick := time.NewTicker(emptyEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case free <- struct{}{}:
			underWay.Go(func() { p.sendOneEmpty(ctx); <-free })
		default:
		}
	}
}

func (p *prober) sendOneEmpty(ctx context.Context) {
	took, err := p.client.Empty(ctx)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.empty.Record(took)
}

// probe is not cut short by the end of the load: it would be counted nowhere.
func (p *prober) probe(ctx context.Context) {
	sent := time.Now()
	if a := p.client.Do(context.WithoutCancel(ctx), target.ProbeCall()); a.Err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent = append(p.sent, sent)
	}
}

// look notes which probes have arrived by now.
func (p *prober) look(ctx context.Context) {
	s := target.Probe()
	selector := fmt.Sprintf(`%s_count{%s,http_route=%q,http_request_method=%q,http_response_status_code=%q}`, duration, ours, s.Route, s.Method, s.Status)
	samples, err := p.prom.latest(ctx, selector, time.Now(), lookback)
	if err != nil {
		return // the next look may see it
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range samples {
		via := x.labels["via"]
		arrived := min(int(x.value)-int(p.base[via]), len(p.sent))
		for len(p.seen[via]) < arrived {
			p.seen[via] = append(p.seen[via], now)
		}
	}
}

func (p *prober) allSeen() bool {
	p.look(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen["direct"]) >= len(p.sent) && len(p.seen["collector"]) >= len(p.sent)
}

// Freshness is how long probes took to be in Prometheus.
type Freshness struct {
	Took      load.Distribution `json:"took"`      // by both paths: the slower one
	Direct    load.Distribution `json:"direct"`    // by the direct path
	Collector load.Distribution `json:"collector"` // by the Collector
	Unseen    int               `json:"unseen"`    // probes that did not come by both
	Empty     load.Distribution `json:"empty"`     // how long requests took that do nothing
}

func (p *prober) result() Freshness {
	p.mu.Lock()
	defer p.mu.Unlock()
	took, by := load.NewHistogram(), map[string]*load.Histogram{"direct": load.NewHistogram(), "collector": load.NewHistogram()}
	f := Freshness{}
	for i, sent := range p.sent {
		var slowest time.Duration
		came := 0
		for via, seen := range p.seen {
			if i < len(seen) {
				by[via].Record(seen[i].Sub(sent))
				slowest = max(slowest, seen[i].Sub(sent))
				came++
			}
		}
		if came < len(p.seen) {
			f.Unseen++
			continue
		}
		took.Record(slowest)
	}
	f.Took, f.Direct, f.Collector, f.Empty = took.Distribution(), by["direct"].Distribution(), by["collector"].Distribution(), p.empty.Distribution()
	return f
}
