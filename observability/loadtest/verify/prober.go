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
	emptyEvery = 100 * time.Millisecond
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
	probe, empty := time.NewTicker(probeEvery), time.NewTicker(emptyEvery)
	defer probe.Stop()
	defer empty.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-probe.C:
			p.probe(ctx)
			p.look(ctx)
		case <-empty.C:
			if took, err := p.client.Empty(ctx); err == nil {
				p.empty.Record(took)
			}
		}
	}
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

// Freshness is how long probes took to be in Prometheus by both paths.
type Freshness struct {
	Took   load.Distribution `json:"took"`
	Unseen int               `json:"unseen"` // probes that never came
	Empty  load.Distribution `json:"empty"`  // how long requests took that do nothing
}

func (p *prober) result() Freshness {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := load.NewHistogram()
	f := Freshness{}
	for i, sent := range p.sent {
		if i >= len(p.seen["direct"]) || i >= len(p.seen["collector"]) {
			f.Unseen++
			continue
		}
		took.Record(max(p.seen["direct"][i].Sub(sent), p.seen["collector"][i].Sub(sent)))
	}
	f.Took, f.Empty = took.Distribution(), p.empty.Distribution()
	return f
}
