package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/perf/benchmath"

	"configservice/observability/loadtest/load"
)

const (
	// alpha is how probable a difference may be by chance alone and still count.
	alpha = 0.01
	// noticeable is the least difference of medians that counts.
	noticeable = 0.05
	// block is how many intervals make one sample: neighbours resemble each
	// other, and as samples of their own they would pretend to be more than they are.
	block = 3
	// fewest samples of a run from which anything can be told.
	fewest = 4
)

// A Comparison is two runs of the same load beside each other.
type Comparison struct {
	Before, After string // ids
	Refused       string // why they cannot be compared, or empty
	Rows          []Difference
}

// A Difference is how one figure changed.
type Difference struct {
	What          string
	Before, After benchmath.Summary
	Format        func(float64) string
	P             float64 // how probable it is by chance
	Verdict       string  // better, worse, no difference beyond noise, or too short
}

// Compare compares the intervals of two runs by the Mann–Whitney U test, which
// assumes nothing of how latencies are distributed. A figure is better or worse
// when that is improbable by chance and its median moved noticeably.
func Compare(before, after Run) Comparison {
	c := Comparison{Before: before.ID, After: after.ID}
	if before.Scenario.Name != after.Scenario.Name || !slices.Equal(before.Scenario.Phases, after.Scenario.Phases) {
		c.Refused = fmt.Sprintf("they are not of the same load: %s and %s", before.title(), after.title())
		return c
	}
	duration := func(v float64) string { return Short(time.Duration(v)) }
	for _, figure := range []struct {
		what   string
		of     func(load.Point) float64
		format func(float64) string
		up     bool // more is better
	}{
		{"p50 from the scheduled moment", func(p load.Point) float64 { return float64(p.P50) }, duration, false},
		{"p99 from the scheduled moment", func(p load.Point) float64 { return float64(p.P99) }, duration, false},
		{"answered, of those due", answered, func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }, true},
	} {
		c.Rows = append(c.Rows, differ(figure.what, samples(before, figure.of), samples(after, figure.of), figure.format, figure.up))
	}
	return c
}

func answered(p load.Point) float64 {
	if p.Scheduled == 0 {
		return 1
	}
	return float64(p.Completed) / float64(p.Scheduled)
}

// samples are the medians of blocks. The first and the last interval are left
// out: connections are opened in the one, and the other is cut short.
func samples(r Run, of func(load.Point) float64) (all []float64) {
	if len(r.Points) < 2 {
		return nil
	}
	for points := range slices.Chunk(r.Points[1:len(r.Points)-1], block) {
		var values []float64
		for _, p := range points {
			values = append(values, of(p))
		}
		slices.Sort(values)
		all = append(all, values[len(values)/2])
	}
	return all
}

func differ(what string, before, after []float64, format func(float64) string, up bool) Difference {
	d := Difference{What: what, Format: format, P: 1, Verdict: "too short to tell"}
	if len(before) < fewest || len(after) < fewest {
		return d
	}
	b, a := benchmath.NewSample(before, &benchmath.DefaultThresholds), benchmath.NewSample(after, &benchmath.DefaultThresholds)
	d.Before, d.After = benchmath.AssumeNothing.Summary(b, 0.95), benchmath.AssumeNothing.Summary(a, 0.95)
	d.P = benchmath.AssumeNothing.Compare(b, a).P
	d.Verdict = "no difference beyond noise"
	if change := d.change(); d.P < alpha && math.Abs(change) > noticeable {
		d.Verdict = "worse"
		if (change > 0) == up {
			d.Verdict = "better"
		}
	}
	return d
}

func (d Difference) change() float64 { return d.After.Center/d.Before.Center - 1 }

// Tell writes the comparison, and returns whether anything is worse.
func (c Comparison) Tell(w io.Writer) (worse bool) {
	fmt.Fprintf(w, "%s compared with %s\n\n", c.After, c.Before)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tbefore\tafter\tchange\tp\tverdict")
	for _, d := range c.Rows {
		worse = worse || d.Verdict == "worse"
		fmt.Fprintf(table, "%s\t%s\t%s\t%+.1f %%\t%.3f\t%s\n", d.What, d.Format(d.Before.Center), d.Format(d.After.Center), 100*d.change(), d.P, d.Verdict)
	}
	_ = table.Flush() // what cannot be written to is told nothing
	fmt.Fprintf(w, "\nMedians of %d intervals each, held against each other by the Mann–Whitney U test;\nworse or better where p < %g and the median moved by more than %g %%.\n", block, alpha, 100*noticeable)
	return worse
}
