package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"configservice/observability/loadtest/scenarios"
)

const (
	api            = "/api/v1"
	applications   = api + "/applications"
	application    = api + "/applications/{id}"
	configurations = api + "/configurations"
	configuration  = api + "/configurations/{id}"
	byName         = api + "/config/{application}/{configuration}"
)

// A World is what a load works on: applications and configurations of its own,
// told by a prefix from everything else in the store.
type World struct {
	client *Client
	prefix string
	plan   scenarios.World

	applications []resource
	fixed        []*config // made by Setup, deleted by Cleanup alone

	mu      sync.Mutex
	created int
	passing []*config                      // made by the load, for the load to delete
	changes map[string]map[int64]time.Time // when each was sent, by application and revision
}

type resource struct {
	ID, Name string
	Revision int64
}

type config struct {
	resource
	application resource
	size        int

	mu   sync.Mutex
	etag string
}

// NewWorld returns a world that is not there yet. Names of all that it makes
// begin with prefix.
func NewWorld(c *Client, prefix string, plan scenarios.World) *World {
	return &World{client: c, prefix: prefix, plan: plan, changes: map[string]map[int64]time.Time{}}
}

// Setup makes the world. After an error Cleanup still has to be called.
func (w *World) Setup(ctx context.Context) error {
	for i := range w.plan.Applications {
		a, err := w.make(ctx, applications, map[string]any{"name": w.applicationName(i), "comments": "made by a load test, which deletes it"})
		if err != nil {
			return err
		}
		w.applications = append(w.applications, a)
		for n := range w.plan.Configurations {
			if err := w.addFixed(ctx, a, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *World) addFixed(ctx context.Context, a resource, n int) error {
	size := w.plan.Bytes[n%len(w.plan.Bytes)]
	r, err := w.make(ctx, configurations, map[string]any{
		"application_id": a.ID, "name": fmt.Sprintf("configuration-%d", n), "config": filled(size),
	})
	w.fixed = append(w.fixed, &config{resource: r, application: a, size: size})
	return err
}

func (w *World) make(ctx context.Context, path string, body any) (r resource, err error) {
	a, err := w.client.Must(ctx, Call{Method: "POST", Route: path, Path: path, Body: encode(body), Want: []int{http.StatusCreated}})
	if err == nil {
		err = json.Unmarshal(a.Body, &r)
	}
	return r, err
}

// committed notes when a change was sent that has been committed.
func (w *World) committed(application string, a Answer) {
	revision, err := strconv.ParseInt(a.Header.Get("Config-Revision"), 10, 64)
	if err != nil || a.Status >= http.StatusBadRequest {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changes[application] == nil {
		w.changes[application] = map[int64]time.Time{}
	}
	w.changes[application][revision] = a.Sent
}

func (w *World) forgetChanges() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.changes)
}

func (w *World) changesSoFar() map[string]map[int64]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]map[int64]time.Time{}
	for application, changes := range w.changes {
		all[application] = maps.Clone(changes)
	}
	return all
}

func (w *World) applicationName(i int) string { return fmt.Sprintf("%s-%d", w.prefix, i) }

// Cleanup deletes the world, also one that is only half made. It finds the
// applications by name: the answer that told an id may have been lost.
func (w *World) Cleanup(ctx context.Context) error {
	var faults []error
	for i := range w.plan.Applications {
		faults = append(faults, w.remove(ctx, w.applicationName(i)))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("left behind on the target: applications whose names begin with %s: %w", w.prefix, err)
	}
	return nil
}

func (w *World) remove(ctx context.Context, name string) error {
	a, err := w.client.Must(ctx, Call{Method: "GET", Route: applications, Path: applications + "?name=" + url.QueryEscape(name), Want: []int{http.StatusOK}})
	if err != nil {
		return err
	}
	var page struct{ Items []resource }
	if err := json.Unmarshal(a.Body, &page); err != nil {
		return err
	}
	for _, found := range page.Items {
		_, err := w.client.Must(ctx, Call{Method: "DELETE", Route: application, Path: applications + "/" + found.ID, Want: []int{http.StatusNoContent}})
		if err != nil {
			return err
		}
	}
	return nil
}

// pick returns one of the configurations that are there all the time.
func (w *World) pick() *config { return w.fixed[rand.IntN(len(w.fixed))] }

// filled returns a configuration of about so many bytes.
func filled(size int) map[string]any {
	const line = 100
	c := map[string]any{"currency": "EUR", "max_items": rand.IntN(1000)}
	for i := 0; size > line; i++ {
		c[fmt.Sprintf("text_%04d", i)] = strings.Repeat("x", line-15)
		size -= line
	}
	return c
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // only maps and strings come here
	}
	return text
}
