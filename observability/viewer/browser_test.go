//go:build browser

package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to do what takes it a second on an idle
// machine.
const patience = 45 * time.Second

// A page is a tab of a real browser.
type page struct {
	t    *testing.T
	ctx  context.Context
	site string // what the paths are below

	mu     sync.Mutex
	errors []string // of the console
}

// openBrowser starts a browser of its own for the test.
func openBrowser(t *testing.T, site string) *page {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocated, release := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	p := &page{t: t, ctx: ctx, site: site}
	// The first action starts the browser, which ends with the context of it.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(read)
		p.listen(messages)
	}()
	t.Cleanup(func() { cancel(); release(); <-read })
	return p
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "there is no Chromium (Debian's package chromium; make test-browser installs it)"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// listen notes what the console shows in red, until the browser ends.
func (p *page) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		if err != nil {
			return
		}
		if message.IsException() || message.Type == chromedp.ConsoleError {
			p.mu.Lock()
			p.errors = append(p.errors, message.Text+" "+message.URL)
			p.mu.Unlock()
		}
	}
}

func (p *page) consoleErrors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v\nat %s", err, p.url())
	}
}

func (p *page) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.site + path))
}

// await waits until an expression is true in the page.
func (p *page) await(what, expression string) {
	p.t.Helper()
	p.awaitWithin(patience, what, expression)
}

func (p *page) awaitWithin(limit time.Duration, what, expression string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(limit)))
	if err != nil {
		p.t.Fatalf("waited in vain until %s: %v\nat %s\npanels %+v\nconsole %q", what, err, p.url(), p.panels(), p.consoleErrors())
	}
}

// evaluate returns the value of an expression, which may be a promise.
func evaluate[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (p *page) url() string {
	url, err := chromedp.Run(p.ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return url
}

// A panelState is what a person sees of a panel.
type panelState struct {
	ID      int
	Title   string
	Message string // instead of the picture: "limit", "error" or "empty"
	Text    string
	Drawn   bool // there is a picture, or text
	Busy    bool
}

// lookAtPanels finds what each panel shows. A canvas counts only with something
// painted on it.
const lookAtPanels = `[...document.querySelectorAll('[data-panel]')].map((panel) => {
  const content = panel.querySelector('[data-testid="data-testid panel content"]');
  const painted = [...(content?.querySelectorAll('canvas') ?? [])].some((canvas) =>
    canvas.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0));
  const text = content?.innerText.trim() ?? '';
  return {
    ID: Number(panel.dataset.panel),
    Title: panel.querySelector('h2, h6')?.innerText ?? '',
    Message: content?.querySelector('[data-message]')?.dataset.message ?? '',
    Text: text,
    Drawn: content?.querySelector('canvas') ? painted : text !== '' || Boolean(content?.querySelector('svg')),
    Busy: Boolean(panel.querySelector('[aria-label="Panel loading bar"]')),
  };
})`

func (p *page) panels() []panelState {
	p.t.Helper()
	return evaluate[[]panelState](p, lookAtPanels)
}

// showAll makes the window as high as the page, so that every panel is in sight.
func (p *page) showAll(width int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, 900))
	p.await("the panels are laid out", `document.querySelector('[data-panel]')`)
	height := evaluate[int64](p, `document.documentElement.scrollHeight`)
	p.do(chromedp.EmulateViewport(width, height))
}

// awaitDrawn waits until each panel has a picture or says why there is none.
func (p *page) awaitDrawn() {
	p.t.Helper()
	p.await("every panel shows something", `((panels) => panels.length > 0 && panels.every((panel) => panel.Drawn))(`+lookAtPanels+`)`)
}

// drag moves the pressed mouse over the plot of a panel, from one share of its
// width to another.
func (p *page) drag(panel int, from, to float64) {
	p.t.Helper()
	type rectangle struct{ X, Y, Width, Height float64 }
	box := evaluate[rectangle](p, fmt.Sprintf(`document.querySelector('[data-panel="%d"] .u-over').getBoundingClientRect().toJSON()`, panel))
	y := box.Y + box.Height/2
	p.do(chromedp.DragAndDropXY(box.X+from*box.Width, y, box.X+to*box.Width, y, 5))
}

// click clicks the element that an expression finds, once it is there.
func (p *page) click(expression string) {
	p.t.Helper()
	p.await(expression, expression)
	evaluate[chromedp.Void](p, expression+".click()")
}

// withText is the first element of a selector that has exactly this text.
func withText(selector, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].find((element) => element.innerText.trim() === %q)`, selector, text)
}

// wantNoConsoleErrors fails the test with what the console showed in red, but for
// what is excused.
func (p *page) wantNoConsoleErrors(excused ...string) {
	p.t.Helper()
	for _, text := range p.consoleErrors() {
		known := false
		for _, excuse := range excused {
			known = known || strings.Contains(text, excuse)
		}
		if !known {
			p.t.Errorf("on the console: %s", text)
		}
	}
}

func (p *page) typeInto(selector, text string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}
