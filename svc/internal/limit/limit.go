// Package limit bounds what callers can ask of the service: how much at once,
// and how many writes each of them in a time. What is too much is refused at
// once, and nothing of it is kept waiting.
package limit

import (
	"context"
	"net/http"
	"sync/atomic"

	"configservice/svc/internal/conf"
)

// The limits, by the names under which refusals are counted.
const (
	Body        = "body"
	Concurrency = "concurrency"
	Watchers    = "watchers"
	WriteRate   = "write_rate"
)

// An Observer is told of each refusal, by the limit's name. It is called
// concurrently and must not block.
type Observer interface {
	Rejected(ctx context.Context, limit string)
}

// Concurrent bounds how many things of one kind happen at a time. The zero
// value lets nothing happen.
type Concurrent struct {
	name     string
	detail   string
	most     int64
	observer Observer
	entered  atomic.Int64
}

// NewRequests returns a bound on requests that are being answered.
func NewRequests(most int, o Observer) *Concurrent {
	return &Concurrent{name: Concurrency, most: int64(most), observer: o, detail: "more requests are under way than the service takes at a time"}
}

// NewWatchers returns a bound on callers that wait for changes.
func NewWatchers(most int, o Observer) *Concurrent {
	return &Concurrent{name: Watchers, most: int64(most), observer: o, detail: "more watchers are connected than the service takes at a time"}
}

// Enter takes a place, which its taker gives back by Leave. Where there is none
// it returns an error of code [conf.Overloaded].
func (c *Concurrent) Enter(ctx context.Context) error {
	if c.entered.Add(1) <= c.most {
		return nil
	}
	c.entered.Add(-1)
	c.observer.Rejected(ctx, c.name)
	return conf.Errorf(conf.Overloaded, "%s (%d); try again", c.detail, c.most)
}

// Leave gives a place back.
func (c *Concurrent) Leave() { c.entered.Add(-1) }

// Guard answers a request by next, in a place of its own while that lasts.
func (c *Concurrent) Guard(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	if err := c.Enter(r.Context()); err != nil {
		return err
	}
	defer c.Leave()
	next.ServeHTTP(w, r)
	return nil
}
