package target

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"

	"configservice/observability/loadtest/scenarios"
)

// A turn is one operation: the call, and what the world learns from its answer.
type turn struct {
	Call
	learn func(Answer)
}

// operations are the words of a scenario's mix.
func operations() map[string]func(*World) turn {
	return map[string]func(*World) turn{
		"read_by_name":        (*World).readByName,
		"read_by_id":          (*World).readByID,
		"revalidate":          (*World).revalidate,
		"read_past":           (*World).readPast,
		"read_versions":       (*World).readVersions,
		"list_configurations": (*World).listConfigurations,
		"list_applications":   (*World).listApplications,
		"create":              (*World).create,
		"replace":             (*World).replace,
		"patch":               (*World).patch,
		"delete":              (*World).delete,
		"missing":             (*World).missing,
		"conflict":            (*World).conflict,
		"stale":               (*World).stale,
		"invalid":             (*World).invalid,
	}
}

func get(route, path string, want ...int) turn {
	return turn{Call: Call{Method: "GET", Route: route, Path: path, Want: want}}
}

func (w *World) readByName() turn {
	c := w.pick()
	return get(byName, api+"/config/"+c.application.Name+"/"+c.Name, http.StatusOK)
}

func (w *World) readByID() turn {
	c := w.pick()
	t := get(configuration, configurations+"/"+c.ID, http.StatusOK)
	t.learn = c.keepETag
	return t
}

// revalidate is what a client does that has an answer already.
func (w *World) revalidate() turn {
	c := w.pick()
	t := get(configuration, configurations+"/"+c.ID, http.StatusOK, http.StatusNotModified)
	t.Header = [][2]string{{"If-None-Match", c.lastETag()}}
	t.learn = c.keepETag
	return t
}

// readPast asks for a state as of a revision, which no cache keeps.
func (w *World) readPast() turn {
	c := w.pick()
	return get(configuration, configurations+"/"+c.ID+"?at="+strconv.FormatInt(c.Revision, 10), http.StatusOK)
}

func (w *World) readVersions() turn {
	return get(configuration+"/versions", configurations+"/"+w.pick().ID+"/versions?limit=5", http.StatusOK)
}

func (w *World) listConfigurations() turn {
	return get(application+"/configurations", applications+"/"+w.pick().application.ID+"/configurations?limit=20", http.StatusOK)
}

func (w *World) listApplications() turn {
	return get(applications, applications+"?limit=20", http.StatusOK)
}

func (w *World) create() turn {
	a := w.applications[rand.IntN(len(w.applications))]
	w.mu.Lock()
	w.created++
	name, size := fmt.Sprintf("passing-%d", w.created), w.plan.Bytes[w.created%len(w.plan.Bytes)]
	w.mu.Unlock()
	body := encode(map[string]any{"application_id": a.ID, "name": name, "config": filled(size)})
	return turn{
		Call: Call{Method: "POST", Route: configurations, Path: configurations, Body: body, Want: []int{http.StatusCreated}},
		learn: func(answer Answer) {
			c := &config{application: a, size: size}
			w.committed(a.ID, answer)
			if answer.Status != http.StatusCreated || json.Unmarshal(answer.Body, &c.resource) != nil {
				return
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.passing = append(w.passing, c)
		},
	}
}

// delete takes what a create made, or, when there is nothing, creates.
func (w *World) delete() turn {
	w.mu.Lock()
	if len(w.passing) == 0 {
		w.mu.Unlock()
		return w.create()
	}
	c := w.passing[0]
	w.passing = w.passing[1:]
	w.mu.Unlock()
	return turn{
		Call:  Call{Method: "DELETE", Route: configuration, Path: configurations + "/" + c.ID, Want: []int{http.StatusNoContent}},
		learn: func(a Answer) { w.committed(c.application.ID, a) },
	}
}

func (w *World) change(method string, body func(*config) any, want int) turn {
	c := w.pick()
	return turn{
		Call:  Call{Method: method, Route: configuration, Path: configurations + "/" + c.ID, Body: encode(body(c)), Want: []int{want}},
		learn: func(a Answer) { w.committed(c.application.ID, a) },
	}
}

func (w *World) replace() turn {
	return w.change("PUT", func(c *config) any { return map[string]any{"config": filled(c.size)} }, http.StatusOK)
}

func (w *World) patch() turn {
	patch := map[string]any{"config": map[string]any{"max_items": rand.IntN(1 << 30)}}
	return w.change("PATCH", func(*config) any { return patch }, http.StatusOK)
}

func (w *World) missing() turn {
	const nobody = "00000000000000000000000000"
	return get(configuration, configurations+"/"+nobody, http.StatusNotFound)
}

func (w *World) conflict() turn {
	body := encode(map[string]any{"name": w.applications[rand.IntN(len(w.applications))].Name})
	return turn{Call: Call{Method: "POST", Route: applications, Path: applications, Body: body, Want: []int{http.StatusConflict}}}
}

func (w *World) stale() turn {
	t := w.replace()
	t.Header, t.Want = [][2]string{{"If-Match", `"stale"`}}, []int{http.StatusPreconditionFailed}
	return t
}

func (w *World) invalid() turn {
	return w.change("PUT", func(*config) any { return map[string]any{"no_such_field": 1} }, http.StatusUnprocessableEntity)
}

func (c *config) keepETag(a Answer) {
	if etag := a.Header.Get("ETag"); etag != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.etag = etag
	}
}

func (c *config) lastETag() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.etag == "" {
		return `"none"`
	}
	return c.etag
}

// cycle returns the operations of a mix, each as often as the mix says, in an
// order that is the same every time.
func cycle(mix scenarios.Mix) (all []func(*World) turn) {
	known := operations()
	for _, name := range slices.Sorted(maps.Keys(mix)) {
		for range mix[name] {
			all = append(all, known[name])
		}
	}
	seeded := rand.New(rand.NewPCG(1, 2))
	seeded.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
