//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"configservice/svc/bench/load"
)

// A report is all that a run has shown.
type report struct {
	Time    time.Time `json:"time"`
	Machine string    `json:"machine"`
	Results []result  `json:"results"`
	Bars    []bar     `json:"bars"`
}

// A bar is what the service is held to: a ratio to a row of the same contest.
type bar struct {
	Name  string   `json:"name"`
	Ratio estimate `json:"ratio"`
	Limit float64  `json:"limit"`
	Least bool     `json:"least"` // the ratio is to be no less, rather than no more
}

// verdict says no more than the confidence interval allows.
func (b bar) verdict() string {
	low, high := b.Ratio.Low, b.Ratio.High
	if b.Least {
		low, high = -high, -low
		b.Limit = -b.Limit
	}
	switch {
	case high <= b.Limit:
		return "met"
	case low > b.Limit:
		return "not met"
	}
	return "undecided"
}

// An estimate is a mean with its 95 % confidence interval.
type estimate struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A figure is one of those of a sample.
type figure func(sample) float64

// A ratio compares two rows of a contest.
type ratio func(of, to row) estimate

func cpuMicros(s sample) float64   { return s.CPUMicros }
func perSecond(s sample) float64   { return s.PerSecond }
func allocs(s sample) float64      { return s.Allocations }
func megabytes(s sample) float64   { return float64(s.ResidentByte) / (1 << 20) }
func startMicros(s sample) float64 { return s.StartMicros }

// by compares a figure of two rows of a contest, round by round: what disturbs
// the machine for longer than a round cancels out. The mean is geometric, the
// interval Student's.
func by(f figure) ratio {
	return func(of, to row) estimate {
		logs := make([]float64, len(of.Samples))
		for i := range logs {
			logs[i] = math.Log(f(of.Samples[i]) / f(to.Samples[i]))
		}
		mean, half := interval(logs)
		return estimate{math.Exp(mean), math.Exp(mean - half), math.Exp(mean + half)}
	}
}

// quantile returns that of the latencies in all rounds but one, in microseconds;
// of all rounds when there is no such one.
func (r row) quantile(q float64, but int) float64 {
	var all load.Histogram
	for i, s := range r.Samples {
		if i != but {
			all.Add(s.latencies)
		}
	}
	return micros(all.Quantile(q))
}

// ratioP99 compares the p99 of two rows of a contest over all of their rounds
// together: in a single turn of some thousand requests, a disturbance of some
// milliseconds is more than one in a hundred, and the turn's p99 tells of
// nothing else. How much it depends on the single rounds is learned by leaving
// out each of them once: the interval is Student's, by the jackknife.
func ratioP99(of, to row) estimate {
	compare := func(but int) float64 { return math.Log(of.quantile(.99, but) / to.quantile(.99, but)) }
	n, all := len(of.Samples), compare(-1)
	pseudo := make([]float64, n)
	for i := range pseudo {
		pseudo[i] = float64(n)*all - float64(n-1)*compare(i)
	}
	_, half := interval(pseudo)
	return estimate{math.Exp(all), math.Exp(all - half), math.Exp(all + half)}
}

// interval returns the mean of some values and half the width of its 95 %
// confidence interval.
func interval(values []float64) (mean, half float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return mean, student(len(values)-1) * math.Sqrt(squares/(n-1)/n)
}

// student is the quantile 0.975 of Student's distribution, by the expansion of
// Cornish and Fisher; from 3 degrees of freedom on it is off by less than 1 %.
func student(degrees int) float64 {
	switch degrees {
	case 1:
		return 12.706
	case 2:
		return 4.303
	}
	const z = 1.959964
	n := float64(degrees)
	z3, z5, z7 := math.Pow(z, 3), math.Pow(z, 5), math.Pow(z, 7)
	return z + (z3+z)/(4*n) + (5*z5+16*z3+3*z)/(96*n*n) + (3*z7+19*z5+17*z3-15*z)/(384*n*n*n)
}

// mean is the average of a figure over a row's rounds.
func (r row) mean(f figure) float64 {
	var sum float64
	for _, s := range r.Samples {
		sum += f(s)
	}
	return sum / float64(len(r.Samples))
}

// print writes a table of the contest.
func (r result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", r.Contest)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\trequests/s\tCPU µs\tp50 µs\tp99 µs\tallocations\tMB\tCPU ratio\tp99 ratio\t")
	for _, row := range r.Rows {
		allocations := "?"
		if n := row.mean(allocs); n > 0 {
			allocations = fmt.Sprintf("%.1f", n)
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.1f\t%.0f\t%.0f\t%s\t%.0f\t%s\t%s\t\n", row.Name, row.mean(perSecond), row.mean(cpuMicros),
			row.quantile(.50, -1), row.quantile(.99, -1), allocations, row.mean(megabytes), by(cpuMicros)(row, r.Rows[0]), ratioP99(row, r.Rows[0]))
	}
	t.Flush()
}

func (e estimate) String() string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", e.Mean, e.Low, e.High)
}

// undisturbed leaves out the rounds in which a load was held up for longer than
// limit in one of the turns: it did not get its processor, from other programs
// or from the machine below this one, and so it cannot tell the server's time.
func (r result) undisturbed(limit time.Duration) result {
	kept := result{r.Contest, make([]row, len(r.Rows))}
	for i, row := range r.Rows {
		kept.Rows[i].Name = row.Name
	}
	for round := range r.Rows[0].Samples {
		if slices.ContainsFunc(r.Rows, func(row row) bool { return row.Samples[round].HeldUpMicros > micros(limit) }) {
			continue
		}
		for i, row := range r.Rows {
			kept.Rows[i].Samples = append(kept.Rows[i].Samples, row.Samples[round])
		}
	}
	return kept
}

// find returns a row by its name, nil when the contest had none.
func (r result) find(name string) *row {
	for i := range r.Rows {
		if r.Rows[i].Name == name {
			return &r.Rows[i]
		}
	}
	return nil
}

// hold notes what the service is held to, where both rows took part.
func (r *report) hold(name string, limit float64, least bool, of, to *row, compare ratio) {
	if of != nil && to != nil {
		r.Bars = append(r.Bars, bar{name, compare(*of, *to), limit, least})
	}
}

// readBars holds the hot read to what was promised of it.
func (r *report) readBars(hot result) {
	bare, off, on := hot.find("bare net/http"), hot.find("service, telemetry off"), hot.find("service, everything on")
	otel, beside := hot.find("bare + otelhttp"), hot.find(rowCollector)
	r.hold("hot read, telemetry off: CPU per request, to bare net/http", 1.10, false, off, bare, by(cpuMicros))
	r.hold("hot read, everything on: CPU per request, to bare net/http", 1.20, false, on, bare, by(cpuMicros))
	r.hold("hot read, everything on: what it adds, to what otelhttp adds", .5, false, added(*on, *bare), added(*otel, *bare), by(cpuMicros))
	r.hold("hot read, telemetry off: p99, to bare net/http", 1.3, false, off, bare, ratioP99)
	r.hold("hot read, everything on: p99, to bare net/http", 1.3, false, on, bare, ratioP99)
	r.hold("hot read, live Collector: CPU per request, to bare net/http", 1.20, false, beside, bare, by(cpuMicros))
	r.hold("hot read, live Collector: p99, to bare net/http", 1.3, false, beside, bare, ratioP99)
}

// added is what a row needs more than another, of CPU and of memory, in each round.
func added(of, to row) *row {
	more := row{Name: of.Name}
	for i, s := range of.Samples {
		s.CPUMicros = max(s.CPUMicros-to.Samples[i].CPUMicros, .01)
		s.ResidentByte = max(s.ResidentByte-to.Samples[i].ResidentByte, 1)
		more.Samples = append(more.Samples, s)
	}
	return &more
}

// printBars writes what the service is held to and whether it holds.
func (r *report) printBars(w io.Writer) {
	if len(r.Bars) == 0 {
		return
	}
	fmt.Fprintln(w, "\nratios, with their 95 % confidence intervals")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, b := range r.Bars {
		sign := "≤"
		if b.Least {
			sign = "≥"
		}
		fmt.Fprintf(t, "%s\t%s\t%s %.2f\t%s\n", b.Name, b.Ratio, sign, b.Limit, b.verdict())
	}
	t.Flush()
}

// write keeps all samples in a file, if one is named.
func (r *report) write(file string) error {
	if file == "" {
		return nil
	}
	r.Time, r.Machine = time.Now().UTC(), machine(context.Background())
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// machine tells where this was measured.
func machine(ctx context.Context) string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo") // only to be shown
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			model = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			break
		}
	}
	kernel, _ := exec.CommandContext(ctx, "uname", "-sr").Output()
	return fmt.Sprintf("%s, %d cores, %s, %s, %s", model, runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version(), describeEtcd(ctx))
}
