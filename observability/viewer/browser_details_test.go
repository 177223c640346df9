//go:build browser

package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"configservice/internal/testwait"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// fixedPrometheus answers with fixed data, and counts what it is asked.
type fixedPrometheus struct {
	mu    sync.Mutex
	asked map[string]int
}

func (f *fixedPrometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	endpoint := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	query := r.FormValue("query")
	f.mu.Lock()
	f.asked[query]++
	f.mu.Unlock()
	switch {
	case query == "wrong":
		writeJSON(w, http.StatusBadRequest, map[string]string{"status": "error", "errorType": "bad_data", "error": "this query is wrong"})
	case endpoint == "query", endpoint == "query_range":
		writeData(w, map[string]any{"resultType": map[string]string{"query": "vector", "query_range": "matrix"}[endpoint], "result": series(r, query)})
	case endpoint == "rules":
		writeData(w, map[string]any{"groups": []any{map[string]any{"name": "g", "rules": []any{map[string]any{
			"type": "alerting", "name": "ServiceDown", "state": "firing", "health": "ok", "query": "up == 0", "labels": map[string]string{"severity": "page"},
			"annotations": map[string]string{"runbook_url": "docs/runbooks/ServiceDown.md"},
			"alerts": []any{map[string]any{"state": "firing", "activeAt": "2026-01-01T00:00:00Z", "value": "0", "labels": map[string]string{"instance": "one"},
				"annotations": map[string]string{"summary": "It is down.", "description": "One is down."}}}}}}}})
	case endpoint == "targets":
		writeData(w, map[string]any{"activeTargets": []any{map[string]any{"health": "down", "lastError": "refused", "labels": map[string]string{"job": "gone"}}}})
	default: // labels, values, metadata
		writeData(w, []string{"a", "b"})
	}
}

func writeData(w http.ResponseWriter, data any) {
	writeJSON(w, http.StatusOK, map[string]any{"status": "success", "data": data})
}

// series are those of a query, with a sample at each step.
func series(r *http.Request, query string) []any {
	name, _, _ := strings.Cut(query, "{")
	labels := map[string][]map[string]string{
		"lines":       {{"job": "a"}, {"job": "b"}},
		"one":         {{}},
		"inside":      {{}},
		"buckets":     {{"le": "0.1"}, {"le": "1"}, {"le": "+Inf"}},
		"deployments": {{"who": "me"}},
	}[name]
	all := []any{}
	for i, metric := range labels {
		height := float64(3 * (i + 1))
		if name == "one" {
			height = 0.5
		}
		one := map[string]any{"metric": metric, "value": []any{number(r, "time"), fmt.Sprint(height)}}
		if strings.HasSuffix(r.URL.Path, "query_range") {
			one["values"] = samples(r, name, height)
		}
		all = append(all, one)
	}
	return all
}

func samples(r *http.Request, name string, height float64) [][]any {
	start, end, step := number(r, "start"), number(r, "end"), number(r, "step")
	var values [][]any
	for time := start; time <= end; time += step {
		if name == "deployments" && (time < (start+end)/2 || time > (start+end)/2+60) {
			continue
		}
		values = append(values, []any{time, fmt.Sprint(height)})
	}
	return values
}

func number(r *http.Request, name string) float64 {
	value, _ := strconv.ParseFloat(r.FormValue(name), 64)
	return value
}

func (f *fixedPrometheus) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.asked)
}

// openSample opens the dashboard of testdata.
func openSample(t *testing.T, query string) (*page, *fixedPrometheus) {
	t.Helper()
	fixed := &fixedPrometheus{asked: map[string]int{}}
	prometheus := httptest.NewServer(fixed)
	t.Cleanup(prometheus.Close)
	p := openBrowser(t, newViewer(t, prometheus.URL).URL)
	p.open("/d/sample?" + query)
	p.showAll(1440)
	p.awaitDrawn()
	return p, fixed
}

const wrongIsRed = "400 (Bad Request)" // the browser's own line about the query that is wrong

func TestEveryKindOfPanelIsDrawnOrSaysWhyNot(t *testing.T) {
	p, _ := openSample(t, "")
	want := map[int]panelState{
		3: {Text: "50%"}, 4: {Text: "50%"}, 5: {Text: "0.500"}, 6: {Text: "Jobs: All<script>alert(1)</script>"},
		8:  {Text: "How much"},
		9:  {Message: "limit", Text: "cannot draw a panel of the type nodeGraph here"},
		10: {Message: "limit", Text: "cannot draw data of the source loki here"},
		11: {Message: "error", Text: "this query is wrong"},
		12: {Message: "empty", Text: "needs a good reason"},
		13: {Message: "limit", Text: "cannot draw the transformation spatial here"},
	}
	states := p.panels()
	if len(states) != 13 {
		t.Errorf("%d panels, want 13: that in the closed row is not there", len(states))
	}
	for _, state := range states {
		wanted := want[state.ID]
		text := strings.Join(strings.Fields(state.Text), " ")
		if state.Message != wanted.Message || !strings.Contains(strings.ReplaceAll(text, " %", "%"), wanted.Text) {
			t.Errorf("panel %d shows %q (%s), want %q (%s)", state.ID, text, state.Message, wanted.Text, wanted.Message)
		}
	}
	p.await("values are mapped", `document.querySelector('[data-panel="8"]').innerText.includes('three')`)
	p.await("the annotation is marked", `document.querySelector('[data-panel="1"] [data-mark="Deployments"]')`)
	p.wantNoConsoleErrors(wrongIsRed)
}

func TestPanelsShareTheirQueries(t *testing.T) {
	_, fixed := openSample(t, "")
	for query, n := range fixed.counts() {
		if strings.HasPrefix(query, "lines{") && n != 1 {
			t.Errorf("%s was asked %d times for two panels", query, n)
		}
	}
}

func TestVariablesAreFilledIntoTheQueries(t *testing.T) {
	p, fixed := openSample(t, "var-job=b")
	if got := fixed.counts(); got[`lines{job=~"b"}[5m]`] == 0 {
		t.Fatalf("asked: %v", got)
	}
	p.click(`document.querySelector('#var-window')`)
	p.click(withText("[role=option]", "1m"))
	p.await("the choice is in the address", `location.search.includes('var-window=1m')`)
	p.await("the panel is drawn", `document.querySelector('[data-panel="1"] canvas')`)
	testwait.UntilWithin(t, "the query has the other window", patience, func() bool { return fixed.counts()[`lines{job=~"b"}[1m]`] > 0 })
	p.open("/d/sample")
	testwait.UntilWithin(t, "all jobs are alternatives", patience, func() bool { return fixed.counts()[`lines{job=~"(a|b)"}[5m]`] > 0 })
}

func TestAVariableIsChosenWithTheKeyboardAlone(t *testing.T) {
	p, fixed := openSample(t, "")
	evaluate[chromedp.Void](p, `document.querySelector('#var-window').focus()`)
	p.do(chromedp.KeyEvent(kb.ArrowDown))
	p.await("the choices are offered", `document.querySelectorAll('[role=option]').length === 2`)
	p.do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.Enter))
	p.await("the choice is in the address", `location.search.includes('var-window=1m')`)
	testwait.UntilWithin(t, "the query has it", patience, func() bool { return fixed.counts()[`lines{job=~"(a|b)"}[1m]`] > 0 })
}

func TestAClickOnTheLegendShowsOneSeriesAloneAndAnotherAll(t *testing.T) {
	p, _ := openSample(t, "")
	legend := withText(`[data-panel="1"] button`, "a")
	p.click(legend)
	p.await("the address has the series", `new URLSearchParams(location.search).getAll('only-1').join() === 'a'`)
	p.click(legend)
	p.await("all are shown again", `!location.search.includes('only-1')`)
}

func TestDraggingOverAGraphZoomsAllAndBackUndoesIt(t *testing.T) {
	p, _ := openSample(t, "")
	p.drag(1, 0.25, 0.5)
	p.await("the address has the range", `/from=\d{13}&to=\d{13}/.test(location.search)`)
	span := evaluate[int64](p, `Number(new URLSearchParams(location.search).get('to')) - Number(new URLSearchParams(location.search).get('from'))`)
	if span < 180_000 || span > 270_000 {
		t.Errorf("a quarter of 15 min is %d ms", span)
	}
	evaluate[chromedp.Void](p, `history.back()`)
	p.await("the range is as before", `!location.search.includes('from=')`)
}

func TestAHiddenPageAsksNothingAndGoesOnWhenItIsSeen(t *testing.T) {
	p, fixed := openSample(t, "refresh=1s")
	asked := func() int { return fixed.counts()["one"] }
	first := asked()
	testwait.UntilWithin(t, "it refreshes", patience, func() bool { return asked() > first })
	evaluate[chromedp.Void](p, `void Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })`)
	evaluate[chromedp.Void](p, `new Promise((done) => setTimeout(done, 1500))`) // what is under way ends
	hidden := asked()
	evaluate[chromedp.Void](p, `new Promise((done) => setTimeout(done, 3000))`) // three refreshes long
	if now := asked(); now != hidden {
		t.Errorf("a hidden page asked %d times", now-hidden)
	}
	evaluate[chromedp.Void](p, `void (delete document.hidden && document.dispatchEvent(new Event('visibilitychange')))`)
	testwait.UntilWithin(t, "it goes on", patience, func() bool { return asked() > hidden })
}

func TestRowsOpenAndCloseAndTheAddressSaysSo(t *testing.T) {
	p, _ := openSample(t, "row=102&row=100")
	for _, state := range p.panels() {
		if state.ID < 9 {
			t.Errorf("panel %d is in a closed row", state.ID)
		}
	}
	p.await("the closed row is open", `document.querySelector('[data-panel="14"]')`)
	p.click(`document.querySelector('section[aria-label="Drawn"] h2 button')`)
	p.await("the other is open again", `document.querySelector('[data-panel="1"]') && !location.search.includes('row=100')`)
}

func TestTheHomePageTellsWhatIsWrongAndLeadsToTheRunbook(t *testing.T) {
	p, _ := openSample(t, "")
	p.open("/?theme=light")
	p.await("the alert is told", `document.body.innerText.includes('ServiceDown firing')`)
	p.await("the lost target is told", `document.body.innerText.includes('0/1') && document.body.innerText.includes('gone: refused')`)
	p.open("/alerts?open=ServiceDown")
	p.await("the alert is described", `document.body.innerText.includes('One is down.')`)
	p.click(withText("a", "Runbook"))
	p.await("its runbook is open", `location.pathname === '/runbooks/ServiceDown' && document.querySelector('article h1')`)
	p.wantNoConsoleErrors(wrongIsRed)
}

func TestExploreCompletesAndAsks(t *testing.T) {
	p, fixed := openSample(t, "")
	p.open("/explore")
	p.typeInto(".cm-content", "line")
	p.await("functions and metrics are offered", `document.querySelector('.cm-tooltip-autocomplete')`)
	p.typeInto(".cm-content", "s{}\n")
	p.await("the address has the question", `location.search.includes('expr=lines')`)
	p.awaitDrawn()
	testwait.UntilWithin(t, "Prometheus was asked", patience, func() bool { return fixed.counts()["lines{}"] > 0 })
}
