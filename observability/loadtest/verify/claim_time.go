package verify

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"

	"configservice/observability/loadtest/load"
)

const (
	freshEnough = 15 * time.Second

	// cpuTolerance is of the larger figure. cpuGrain is what the process's clock
	// cannot tell: it counts two modes in ticks of 10 ms.
	cpuTolerance = 0.10
	cpuGrain     = 0.02
)

func judgeFreshness(e Evidence) (findings []Finding) {
	if e.Freshness.Took.Count == 0 && e.Freshness.Unseen == 0 {
		return []Finding{missing("freshness", "the load was too short for a probe")}
	}
	for _, way := range []struct {
		name string
		took load.Distribution
	}{
		{"the direct path", e.Freshness.Direct}, {"the path by the Collector", e.Freshness.Collector}, {"both paths", e.Freshness.Took},
	} {
		f := Finding{
			What: "95th percentile from a request to its being in Prometheus by " + way.name, Expected: "≤ " + freshEnough.String(),
			Found: way.took.P95.Round(time.Millisecond).String(), Tolerance: freshEnough.String(), Verdict: True,
		}
		if way.took.Count == 0 || way.took.P95 > freshEnough {
			f.Verdict = False
		}
		findings = append(findings, f)
	}
	return append(findings, exactly("probes that never came", 0, int64(e.Freshness.Unseen)))
}

func judgeCPU(e Evidence) []Finding {
	const what = "CPU seconds of the service as its process tells (found) and its control group (expected)"
	if e.CPU.Missing != "" {
		return []Finding{missing(what, e.CPU.Missing)}
	}
	difference := e.CPU.Process - e.CPU.Container
	tolerance := max(cpuTolerance*max(e.CPU.Process, e.CPU.Container), cpuGrain)
	f := Finding{
		What: what, Expected: fmt.Sprintf("%.3f", e.CPU.Container), Found: fmt.Sprintf("%.3f", e.CPU.Process),
		Difference: fmt.Sprintf("%+.3f", difference), Tolerance: fmt.Sprintf("10 %%, or the 20 ms that its clock cannot tell: %.3f", tolerance), Verdict: True,
	}
	if math.Abs(difference) > tolerance {
		f.Verdict = False
	}
	return []Finding{f}
}

// judgeLatency compares quantiles. The service cannot see the time that a
// request and its answer spend in the network and in net/http on both sides;
// how long that is, requests for which the service does nothing tell, which were
// sent beside the load. A client cannot be faster than the service; and it cannot
// be slower than both times together, see [cumulated.judge]. A tester that is
// short of CPU can only tell the former, and so can one that has sent too few of
// these requests.
func judgeLatency(e Evidence) (findings []Finding) {
	if len(e.Stages) <= directStage {
		return []Finding{missing("latency", "Prometheus was not read")}
	}
	h := histogram(e)
	for _, q := range []struct {
		name   string
		q      float64
		client time.Duration
	}{
		{"p50", .50, e.Book.Latency.P50},
		{"p95", .95, e.Book.Latency.P95},
		{"p99", .99, e.Book.Latency.P99},
	} {
		findings = append(findings, h.judge(q.name, q.q, q.client, e.Freshness.Empty, e.Load.Behind()))
	}
	return findings
}

const directStage = 2

// A cumulated histogram: counts of what is not above each bound, in order.
type cumulated struct {
	bounds []time.Duration // the last is the longest there is
	counts []int64
}

// histogram adds up what Prometheus has by the direct path of all that the client timed.
func histogram(e Evidence) cumulated {
	s := e.Stages[directStage]
	sums := map[time.Duration]int64{}
	for series, n := range ofAPI(e.Book.Counts) {
		if n == 0 || series.Route == watchRoute {
			continue
		}
		for le, count := range s.After.Buckets[series] {
			sums[boundOf(le)] += count - s.Before.Buckets[series][le]
		}
	}
	var c cumulated
	for b := range sums {
		c.bounds = append(c.bounds, b)
	}
	sort.Slice(c.bounds, func(i, j int) bool { return c.bounds[i] < c.bounds[j] })
	for _, b := range c.bounds {
		c.counts = append(c.counts, sums[b])
	}
	return c
}

func boundOf(le string) time.Duration {
	seconds, err := strconv.ParseFloat(le, 64)
	if err != nil || seconds > math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// quantile is the number of the bucket that holds the quantile.
func (c cumulated) quantile(q float64) int {
	rank := q * float64(c.counts[len(c.counts)-1])
	return sort.Search(len(c.counts)-1, func(i int) bool { return float64(c.counts[i]) >= rank })
}

// lower is where bucket i begins.
func (c cumulated) lower(i int) time.Duration {
	if i == 0 {
		return 0
	}
	return c.bounds[i-1]
}

// coarse is the widest that a bucket may be for its quantile to mean anything,
// as a factor, above finest.
const (
	coarse = 4.0
	finest = 100 * time.Microsecond
)

// judge holds the client's quantile q against the service's. Nothing is known of
// whether slow answers and slow ways come together; but where no more than half of
// the share 1-q is slower than a in the service, and no more than the other half
// slower than b on the way, no more than 1-q is slower than a and b together.
func (c cumulated) judge(name string, q float64, client time.Duration, way load.Distribution, short bool) Finding {
	f := Finding{What: name + " of the client and of the service", Found: client.String(), Tolerance: "one bucket, client ≥ service", Verdict: True}
	if len(c.counts) == 0 || c.counts[len(c.counts)-1] <= 0 {
		f.Expected, f.Verdict = "the service's histogram is empty", False
		return f
	}
	at := c.quantile(q)
	low, end := c.lower(at), c.bounds[at]
	far := (1 + q) / 2
	high := c.bounds[min(c.quantile(far)+1, len(c.bounds)-1)]
	onTheWay, known := way.AtMost(far)
	if !known {
		high = math.MaxInt64
	}
	f.Expected = fmt.Sprintf("over %v, up to %v and %v on the way", low, high, onTheWay)
	if high == math.MaxInt64 {
		f.Expected = fmt.Sprintf("over %v", low)
	}
	tooCoarse := end > finest && float64(end) > coarse*float64(max(low, finest))
	if client < low || client-onTheWay > high && !short || tooCoarse {
		f.Verdict = False
	}
	switch {
	case short:
		f.Tolerance = "client ≥ service; the tester was short of CPU, so more cannot be told"
	case !known:
		f.Tolerance = fmt.Sprintf("client ≥ service; %d requests for which the service does nothing are too few to tell more", way.Count)
	}
	if tooCoarse {
		f.Tolerance += fmt.Sprintf(", buckets no wider than %g times their lower bound", coarse)
	}
	return f
}

// A Bucket is a range of durations.
type Bucket struct{ Over, UpTo time.Duration }

// ServiceQuantiles returns the buckets in which the service's histogram has these
// quantiles; nothing where there is no histogram. The last bucket, which has no
// end, ends at twice its beginning.
func ServiceQuantiles(e Evidence, quantiles ...float64) (all []Bucket) {
	if len(e.Stages) <= directStage {
		return nil
	}
	h := histogram(e)
	if len(h.counts) == 0 || h.counts[len(h.counts)-1] <= 0 {
		return nil
	}
	for _, q := range quantiles {
		b := Bucket{h.lower(h.quantile(q)), h.bounds[h.quantile(q)]}
		if b.UpTo == math.MaxInt64 {
			b.UpTo = 2 * b.Over
		}
		all = append(all, b)
	}
	return all
}
