//go:build browser

package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/internal/dashboard"
	"configservice/observability/internal/nativestack"
	"configservice/observability/internal/stacktest"

	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "directory to write a picture of each page into, after four minutes of load")

const (
	soonLive = 90 * time.Second  // after its start a stack shows all that it can
	fullLive = 180 * time.Second // and what takes minutes, such as a budget of 30 days
)

// One stack of the real programs under a load test, and a person who looks at all pages.
func TestUnderLoadEveryPageIsAlive(t *testing.T) {
	boards, err := dashboard.Load("../grafana/provisioning/dashboards")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	stack := stacktest.Start(t, "../..", nativestack.Options{})
	startLoadTest(t, stack)
	p := openBrowser(t, stack.URL(nativestack.Dashboards, ""))
	for _, board := range boards {
		p.open("/d/" + board.UID)
		p.showAll(1440)
		p.awaitAlive(board, soonLive-time.Since(began), "known a minute after")
		t.Logf("%s: every panel is alive %.0f s after the start of the stack", board.UID, time.Since(began).Seconds())
	}
	for _, board := range boards {
		p.open("/d/" + board.UID)
		p.showAll(1440)
		p.awaitAlive(board, fullLive-time.Since(began))
	}
	t.Logf("all panels are alive %.0f s after the start of the stack", time.Since(began).Seconds())
	t.Run("a panel shows what Prometheus has", func(t *testing.T) { p.showsTheRate(t, stack, boards) })
	for _, path := range []string{"/", "/?theme=light", "/alerts", "/explore?expr=up", "/runbooks", "/runbooks/ServiceDown", "/d/slo?theme=light"} {
		p.open(path)
		p.await("the page is there", `document.querySelector('main')?.innerText.trim()`)
	}
	p.wantNoConsoleErrors()
	if *pictures != "" {
		testwait.UntilWithin(t, "there is something to see", 5*time.Minute, func() bool { return time.Since(began) > 4*time.Minute })
		p.takePictures(boards, *pictures)
	}
}

// startLoadTest puts the stack under load until the test ends.
func startLoadTest(t *testing.T, stack *nativestack.Stack) {
	t.Helper()
	said := testwait.NewTranscript()
	tester := exec.CommandContext(t.Context(), "../../bin/loadtest", "run", "testdata/load.yaml", "--claims", "none", "--out", t.TempDir(),
		"--target", stack.URL(nativestack.Service, ""), "--prometheus", stack.URL(nativestack.Prometheus, ""),
		"--grafana", stack.URL(nativestack.Dashboards, ""))
	tester.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+stack.URL(nativestack.OTLP, ""))
	tester.Stdout, tester.Stderr = said, said
	tester.Cancel = func() error { return tester.Process.Signal(syscall.SIGTERM) }
	tester.WaitDelay = testwait.Patience
	if err := tester.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tester.Wait() // it was ended
		if t.Failed() {
			t.Log(said.String())
		}
	})
}

// awaitAlive waits until each panel has data, or says why it has none: what this machine cannot
// have, or one of the reasons that are excused.
func (p *page) awaitAlive(board dashboard.Dashboard, limit time.Duration, excused ...string) {
	p.t.Helper()
	var dead []string
	deadline := time.Now().Add(limit)
	for dead = p.dead(board, excused); len(dead) > 0 && time.Now().Before(deadline); dead = p.dead(board, excused) {
		evaluate[chromedp.Void](p, `new Promise((done) => setTimeout(done, 500))`)
	}
	for _, panel := range dead {
		p.t.Errorf("%s: %s", board.UID, panel)
	}
}

// dead lists the panels of a dashboard that are not as they should be.
func (p *page) dead(board dashboard.Dashboard, excused []string) (dead []string) {
	p.t.Helper()
	shown := map[int]panelState{}
	for _, state := range p.panels() {
		shown[state.ID] = state
	}
	for _, panel := range board.Panels {
		state, there := shown[panel.ID]
		reason := ""
		if panel.FieldConfig != nil {
			reason = panel.FieldConfig.Defaults.NoValue
		}
		empty := state.Message == "empty" || reason != "" && state.Text == reason
		switch {
		case panel.Type == "row", state.Drawn && state.Message == "" && !empty:
		case !there:
			dead = append(dead, panel.Title+" is not on the page")
		case !empty || state.Text != reason || !isExcused(reason, excused):
			dead = append(dead, fmt.Sprintf("%s shows %q (%s)", panel.Title, state.Text, state.Message))
		}
	}
	return dead
}

// isExcused says whether a panel under load may be empty for the reason that it tells.
func isExcused(reason string, excused []string) bool {
	for _, excuse := range excused {
		if strings.HasPrefix(reason, excuse) {
			return true
		}
	}
	return strings.HasPrefix(reason, "needs ") && !strings.HasPrefix(reason, "needs a running load test")
}

// showsTheRate compares the rate of requests on the page with what Prometheus answers, while the
// load is constant.
func (p *page) showsTheRate(t *testing.T, stack *nativestack.Stack, boards []dashboard.Dashboard) {
	const title = "API requests"
	rate := queryOf(t, boards, title)
	p.open("/d/configuration-service")
	content := withText("[data-panel] h2", title) + `?.closest('[data-panel]').querySelector('[data-testid="data-testid panel content"]').innerText.trim()`
	p.await("the panel has its value", content)
	testwait.UntilWithin(t, "the page and Prometheus agree within 2 %", patience, func() bool {
		text := evaluate[string](p, content)
		number, _, _ := strings.Cut(strings.Join(strings.Fields(text), " "), " ")
		shown, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatalf("the panel shows %q", text)
		}
		samples, err := stack.Prometheus().Query(t.Context(), rate)
		if err != nil || len(samples) != 1 {
			t.Fatalf("%d samples, %v", len(samples), err)
		}
		if math.Abs(shown-samples[0].Value) > 0.02*shown {
			return false
		}
		t.Logf("the page shows %s, Prometheus answers %.2f", text, samples[0].Value)
		return true
	})
}

// queryOf is the query of a panel with this title.
func queryOf(t *testing.T, boards []dashboard.Dashboard, title string) string {
	t.Helper()
	for _, board := range boards {
		for _, q := range board.Queries(nil) {
			if q.Panel == title {
				return q.Expr
			}
		}
	}
	t.Fatalf("there is no panel %q", title)
	return ""
}
