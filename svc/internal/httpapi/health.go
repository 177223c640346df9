package httpapi

import (
	"context"
	"net/http"
	"time"
)

// probeTimeout bounds how long a probe waits for a dependency.
const probeTimeout = 2 * time.Second

// A health is the answer to GET /health.
type health struct {
	Status       string                `json:"status"` // healthy or unhealthy
	Service      string                `json:"service"`
	Version      string                `json:"version"`
	Dependencies map[string]dependency `json:"dependencies"`
}

type dependency struct {
	Status   string  `json:"status"`           // up or down
	Duration float64 `json:"duration_seconds"` // of the probe
}

func (s *server) health(w http.ResponseWriter, r *http.Request) error {
	database, err := s.probeStore(r.Context())
	h := health{Status: "healthy", Service: "configuration-service", Version: s.Version,
		Dependencies: map[string]dependency{"database": database}}
	if err != nil {
		s.Logger.WarnContext(r.Context(), "the database is down", "error", err)
		h.Status = "unhealthy"
		return writeJSON(w, http.StatusServiceUnavailable, h)
	}
	return writeJSON(w, http.StatusOK, h)
}

func (s *server) probeStore(ctx context.Context) (dependency, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	started := time.Now()
	_, err := s.Store.Stats(ctx)
	d := dependency{Status: "up", Duration: time.Since(started).Seconds()}
	if err != nil {
		d.Status = "down"
	}
	return d, err
}

type state struct {
	Status string `json:"status"`
}

// livez says that the process runs; an orchestrator restarts it otherwise.
func (s *server) livez(w http.ResponseWriter, r *http.Request) error {
	return writeJSON(w, http.StatusOK, state{"alive"})
}

// readyz says whether the process should get requests: it is not stopping,
// and its store answers.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	if !s.Ready() {
		return writeJSON(w, http.StatusServiceUnavailable, state{"stopping"})
	}
	if _, err := s.probeStore(r.Context()); err != nil {
		return writeJSON(w, http.StatusServiceUnavailable, state{"database down"})
	}
	return writeJSON(w, http.StatusOK, state{"ready"})
}
