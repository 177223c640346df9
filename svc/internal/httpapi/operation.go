package httpapi

import (
	"net/http"
	"slices"
)

// NewOperation returns the handler of health, readiness and metrics alone, for
// a listener of their own.
func NewOperation(o Options) http.Handler {
	o.setDefaults()
	s := &server{Options: o}
	if s.Metrics == nil {
		s.Metrics = s.handle(routeNotFound)
	}
	routes := slices.DeleteFunc(s.routes(), func(r route) bool {
		return !slices.Contains([]string{"/health", "/livez", "/readyz", "/metrics"}, r.path)
	})
	return s.recovered(s.literal(s.mux(routes)))
}
