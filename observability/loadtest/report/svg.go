package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// The picture of a chart, in its own units, and the margins around the plot.
const (
	chartWidth   = 460.0
	chartHeight  = 250.0
	marginLeft   = 56.0
	marginRight  = 14.0
	marginTop    = 10.0
	marginBottom = 26.0
)

// A series is one line, or one set of bars, of a chart.
type series struct {
	Name string
	X, Y []float64
}

// A tick is a place on an axis and what stands there.
type tick struct {
	at    float64
	label string
}

// A chart is a picture with what it shows. Its colours are those of the page.
type chart struct {
	Title, Note string
	Series      []series
	SVG         template.HTML
}

// A frame maps values to places in the picture.
type frame struct {
	left, right, top float64 // values at the ends of the axes; both are linear, and up begins at 0
	b                strings.Builder
}

func (f *frame) x(v float64) float64 {
	return marginLeft + (v-f.left)/(f.right-f.left)*(chartWidth-marginLeft-marginRight)
}

func (f *frame) y(v float64) float64 {
	return chartHeight - marginBottom - v/f.top*(chartHeight-marginTop-marginBottom)
}

func (f *frame) draw(format string, args ...any) { fmt.Fprintf(&f.b, format, args...) }

// newFrame draws the axes.
func newFrame(left, right, highest float64, along []tick, format func(float64) string) *frame {
	up := steps(highest)
	f := &frame{left: left, right: right, top: up[len(up)-1]}
	f.draw(`<svg viewBox="0 0 %g %g" role="img">`, chartWidth, chartHeight)
	for _, v := range up {
		f.draw(`<path class="grid" d="M%.1f %.1fH%.1f"/><text class="up" x="%.1f" y="%.1f">%s</text>`,
			marginLeft, f.y(v), chartWidth-marginRight, marginLeft-6, f.y(v)+4, format(v))
	}
	for _, t := range along {
		f.draw(`<text class="along" x="%.1f" y="%.1f">%s</text>`, f.x(t.at), chartHeight-6, template.HTMLEscapeString(t.label))
	}
	return f
}

func (f *frame) done(c chart) chart {
	f.draw(`</svg>`)
	c.SVG = template.HTML(f.b.String()) // of numbers and our own words
	return c
}

// steps are round numbers from 0 to at least the highest value, a few of them.
func steps(highest float64) (all []float64) {
	if !(highest > 0) {
		highest = 1
	}
	size := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, part := range []float64{.2, .5, 1, 2} {
		if highest <= 5*part*size {
			size *= part
			break
		}
	}
	for i := 0.0; ; i++ {
		all = append(all, i*size)
		if i*size >= highest {
			return all
		}
	}
}

// lines draws series over seconds since the load began; the band is the load.
func lines(c chart, loaded time.Duration, format func(float64) string) chart {
	left, right, highest := 0.0, loaded.Seconds(), 0.0
	for _, s := range c.Series {
		for i := range s.X {
			left, right, highest = min(left, s.X[i]), max(right, s.X[i]), max(highest, s.Y[i])
		}
	}
	f := newFrame(left, right, highest, moments(left, right), format)
	f.draw(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
		f.x(0), marginTop, f.x(loaded.Seconds())-f.x(0), chartHeight-marginTop-marginBottom)
	for n, s := range c.Series {
		f.draw(`<path class="line c%d" d="%s"/>`, n, f.path(s))
	}
	for n, s := range c.Series {
		for i := range s.X {
			f.draw(`<circle class="c%d" cx="%.1f" cy="%.1f" r="5"><title>%s, %s: %s</title></circle>`,
				n, f.x(s.X[i]), f.y(s.Y[i]), s.Name, clock(s.X[i]), format(s.Y[i]))
		}
	}
	return f.done(c)
}

func (f *frame) path(s series) string {
	var b strings.Builder
	for i := range s.X {
		fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(i, 1)], f.x(s.X[i]), f.y(s.Y[i]))
	}
	return b.String()
}

// moments are round numbers of seconds.
func moments(left, right float64) (all []tick) {
	size := 1.0
	for _, size = range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800} {
		if (right-left)/size <= 8 {
			break
		}
	}
	for s := math.Ceil(left/size) * size; s <= right; s += size {
		all = append(all, tick{s, clock(s)})
	}
	return all
}

// clock writes seconds as 45 s, or 2:05 where there are minutes.
func clock(seconds float64) string {
	if s := int(math.Round(math.Abs(seconds))); s >= 60 {
		return fmt.Sprintf("%s%d:%02d", map[bool]string{true: "−"}[seconds < 0], s/60, s%60)
	}
	return strings.Replace(fmt.Sprintf("%.0f s", seconds), "-", "−", 1)
}

// bars draws series side by side; each bar's X is the number of its group.
func bars(c chart, groups int, along []tick, format func(float64) string) chart {
	highest := 0.0
	for _, s := range c.Series {
		for _, v := range s.Y {
			highest = max(highest, v)
		}
	}
	f := newFrame(-.5, float64(groups)-.5, highest, along, format)
	width := (f.x(1) - f.x(0)) * .84 / float64(len(c.Series))
	for n, s := range c.Series {
		for i, v := range s.Y {
			at := f.x(s.X[i]) + width*(float64(n)-float64(len(c.Series))/2)
			f.draw(`<rect class="bar c%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s: %s</title></rect>`,
				n, at, f.y(v), width*.94, f.y(0)-f.y(v), s.Name, format(v))
		}
	}
	return f.done(c)
}
