//go:build live

package main

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A line of a page of metrics: a series with its value, and what follows it.
type line struct {
	name, labels string
	value        float64
	rest         string // time and exemplar
}

func (l line) String() string {
	return fmt.Sprintf("%s%s %s%s", l.name, l.labels, strconv.FormatFloat(l.value, 'g', -1, 64), l.rest)
}

// label returns the value of a label.
func (l line) label(name string) string {
	if m := regexp.MustCompile(`[{,]` + name + `="([^"]*)"`).FindStringSubmatch(l.labels); m != nil {
		return m[1]
	}
	return ""
}

// with returns the line with another value of a label that it has.
func (l line) with(name, value string) line {
	l.labels = strings.Replace(l.labels, name+`="`+l.label(name)+`"`, name+`="`+value+`"`, 1)
	return l
}

// A lie is what becomes of a line: others in its place, or none.
type lie func(line) []line

// liar stands before a page of metrics and tells what it likes. Without a lie it
// tells the page.
type liar struct {
	upstream string
	server   *httptest.Server

	served atomic.Int64

	mu    sync.Mutex
	lie   lie
	delay time.Duration
	past  []edition // what it told, when it has to tell old news
}

type edition struct {
	at   time.Time
	text string
}

func newLiar(t *testing.T, upstream string) *liar {
	l := &liar{upstream: upstream}
	l.server = httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(l.server.Close)
	return l
}

func (l *liar) tell(lie lie, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie, l.delay, l.past = lie, delay, nil
}

func (l *liar) serve(w http.ResponseWriter, r *http.Request) {
	defer l.served.Add(1)
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, l.upstream, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req.Header.Set("Accept", r.Header.Get("Accept"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	io.WriteString(w, l.twist(string(text)))
}

func (l *liar) twist(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lie != nil {
		text = twisted(text, l.lie)
	}
	if l.delay == 0 {
		return text
	}
	l.past = append(l.past, edition{time.Now(), text})
	for len(l.past) > 1 && time.Since(l.past[1].at) > l.delay {
		l.past = l.past[1:]
	}
	return l.past[0].text
}

func twisted(text string, lie lie) string {
	var b strings.Builder
	for row, l := range rows(text) {
		if l == nil {
			b.WriteString(row)
			continue
		}
		for _, told := range lie(*l) {
			b.WriteString(told.String() + "\n")
		}
	}
	return b.String()
}

// rows are those of a page, each with the series that it tells, if it tells one.
func rows(page string) iter.Seq2[string, *line] {
	series := regexp.MustCompile(`^([a-zA-Z_:][\w:]*)(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})? (\S+)(.*)\n$`)
	return func(yield func(string, *line) bool) {
		for row := range strings.Lines(page) {
			var l *line
			if m := series.FindStringSubmatch(row); m != nil {
				if value, err := strconv.ParseFloat(m[3], 64); err == nil {
					l = &line{m[1], m[2], value, m[4]}
				}
			}
			if !yield(row, l) {
				return
			}
		}
	}
}

func TestLiarWithoutALieTellsAnotherPage(t *testing.T) {
	const page = `# TYPE a histogram
a_bucket{http_route="/config/{application}/{configuration}",le="0.1"} 3 # {trace_id="5"} 0.05 17.5
a_bucket{http_route="say \"}\"",le="+Inf"} 4 1795600036870
b 0.25
# EOF
`
	if got := twisted(page, func(l line) []line { return []line{l} }); got != page {
		t.Errorf("got\n%s\nwant\n%s", got, page)
	}
}
