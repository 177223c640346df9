package httpapi

import (
	"net/http"
	"strings"

	"configservice/svc/internal/conf"
)

// A Memory has the configurations that were read last.
type Memory interface {
	// Peek returns a configuration as it is known to be now, or nil when
	// memory alone cannot tell. The copy is shared and must not be changed.
	Peek(id string) *conf.Configuration
	// PeekByName is like Peek by names.
	PeekByName(application, configuration string) *conf.Configuration
}

// A Reader is who makes a request.
type Reader interface {
	// Allowed reports whether the reader may read what is an application's,
	// now.
	Allowed(applicationID string) bool
}

// An API is the handler of the whole API.
type API struct {
	*server
	whole http.Handler
}

// ServeHTTP answers any request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, done := a.Shortcut(w, r); !done {
		a.whole.ServeHTTP(w, r)
	}
}

// Shortcut answers a read of one configuration that takes nothing but memory,
// the very same as [API.ServeHTTP] would, and tells the status and the bytes of
// the body. It is for what is asked most and never refuses: whatever may end in
// anything else than 200 or 304 is left alone, with nothing done. It allocates
// nothing, waits for nothing, and takes no place among the requests at a time,
// since it is over sooner than a refusal.
func (a *API) Shortcut(w http.ResponseWriter, r *http.Request) (status, written int, done bool) {
	if r.Method != http.MethodGet || r.URL.RawQuery != "" || a.Memory == nil || !isPlain(r.URL) {
		return 0, 0, false
	}
	reader := a.Reader(r)
	if reader == nil {
		return 0, 0, false
	}
	c, pattern := a.recall(r.URL.Path)
	if c == nil || !reader.Allowed(c.ApplicationID) {
		return 0, 0, false
	}
	prepared, ok := c.Prepared.(*answer)
	if !ok || len(prepared.body) > maxShortcut {
		return 0, 0, false
	}
	r.Pattern = pattern
	if prepared.known(r) {
		a.Observer.Read(r.Context(), "cache", "not_modified")
		prepared.writeNotModified(w)
		return http.StatusNotModified, 0, true
	}
	a.Observer.Read(r.Context(), "cache", "hit")
	prepared.write(w, http.StatusOK, a.fixed)
	return http.StatusOK, len(prepared.body), true
}

// maxShortcut is the largest body, in bytes, that the system is sure to take
// without waiting for the client to read it.
const maxShortcut = 64 << 10

// The routes that have a shortcut.
const (
	configurationPath       = base + "/configurations/"
	configurationByNamePath = base + "/config/"
	patternByID             = "GET " + configurationPath + "{id}"
	patternByName           = "GET " + configurationByNamePath + "{application}/{configuration}"
)

// recall returns the configuration at a path and the pattern of its route, or
// nil when it is not one of them, or not in memory.
func (a *API) recall(path string) (c *conf.Configuration, pattern string) {
	if id, ok := strings.CutPrefix(path, configurationPath); ok {
		return a.Memory.Peek(id), patternByID
	}
	names, ok := strings.CutPrefix(path, configurationByNamePath)
	if !ok {
		return nil, ""
	}
	application, configuration, _ := strings.Cut(names, "/")
	if strings.Contains(configuration, "/") {
		return nil, ""
	}
	return a.Memory.PeekByName(application, configuration), patternByName
}
