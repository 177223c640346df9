package supervise

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// probe asks programs whether they are healthy.
type probe struct {
	client *http.Client
	every  time.Duration
}

// newProbe never goes through a proxy and never keeps a connection: what it
// asks is on this machine, and a restarted program is a new server.
func newProbe(every time.Duration) probe {
	transport := &http.Transport{DisableKeepAlives: true}
	return probe{client: &http.Client{Transport: transport, Timeout: 2 * time.Second}, every: every}
}

// await polls url until it answers 2xx. When ctx is done first, it returns the
// last reason why the answer was not that.
func (p probe) await(ctx context.Context, url string) error {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	var last error
	for {
		// An attempt cut short by ctx says less than the one before it.
		if err := p.once(ctx, url); err == nil {
			return nil
		} else if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last
		}
	}
}

func (p probe) once(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 200)) // only ever shown
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s: %s", url, response.Status, bytes.TrimSpace(body))
	}
	return nil
}
