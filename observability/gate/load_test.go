package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"configservice/observability/internal/nativestack"
)

// startLoad asks of the service, until the test ends, everything that shows in a metric: some
// hundred requests a second of every kind, wrong ones too.
func startLoad(t *testing.T, stack *nativestack.Stack) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := load{url: stack.URL(nativestack.Service, "/api/v1")}
	l.prepare(t, ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			l.round(ctx, n)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.ask(ctx, "GET", "/watch", "") // reads until ctx ends
	}()
	t.Cleanup(func() { cancel(); <-done; <-watched })
}

type load struct{ url, one, two string }

func (l *load) prepare(t *testing.T, ctx context.Context) {
	t.Helper()
	application := l.create(t, ctx, "/applications", `{"name":"shop"}`)
	l.one = l.create(t, ctx, "/configurations", fmt.Sprintf(`{"application_id":%q,"name":"main","config":{"n":0}}`, application))
	l.two = l.create(t, ctx, "/configurations", fmt.Sprintf(`{"application_id":%q,"name":"other","config":{"n":0}}`, application))
}

func (l *load) create(t *testing.T, ctx context.Context, path, body string) (id string) {
	t.Helper()
	status, answer := l.ask(ctx, "POST", path, body)
	var made struct{ ID string }
	if err := json.Unmarshal(answer, &made); err != nil || made.ID == "" {
		t.Fatalf("POST %s answered %d %s", path, status, answer)
	}
	return made.ID
}

func (l *load) round(ctx context.Context, n int) {
	l.ask(ctx, "PUT", "/configurations/"+l.one, fmt.Sprintf(`{"config":{"n":%d}}`, n))
	for range 5 {
		l.ask(ctx, "GET", "/config/shop/main", "")
		l.ask(ctx, "GET", "/configurations/"+l.two, "")
	}
	l.ask(ctx, "GET", "/config/shop/none", "")
	l.ask(ctx, "POST", "/applications", `{"name":"shop"}`)
	l.ask(ctx, "GET", "/configurations/"+l.two+"?wait=20ms&version=1", "")
	if n%50 == 0 {
		// From the future: 503, after the service has waited for it.
		go l.ask(ctx, "GET", "/config/shop/main?min_revision=999999999", "")
	}
}

// ask reads the whole answer. What comes back is the service's affair, except for what was prepared.
func (l *load) ask(ctx context.Context, method, path, body string) (status int, answer []byte) {
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, bytes.NewBufferString(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	answer, _ = io.ReadAll(resp.Body) // that of a watch ends with ctx
	return resp.StatusCode, answer
}
