package instrument

import "net/http"

// Propagation returns middleware that measures nothing, and only lets the lines
// that are logged of a request have the ids of its caller's trace. A request
// that is part of none costs nothing.
func Propagation(p Providers) (func(http.Handler) http.Handler, error) {
	fields := p.Propagator.Fields()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hasAny(r.Header, fields) {
				r = r.WithContext(p.Propagator.Extract(r.Context(), headerCarrier(r.Header)))
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}

func hasAny(h http.Header, names []string) bool {
	for _, name := range names {
		if len(headerCarrier(h).Values(name)) > 0 {
			return true
		}
	}
	return false
}
