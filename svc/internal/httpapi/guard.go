package httpapi

import (
	"net/http"
	"slices"

	"configservice/svc/internal/conf"
)

// A Guard stands before every call of the API, and not before health, metrics
// and the contract. It hands the request, or a copy that knows more, on to
// next, or else returns why not and has written nothing. A Retry-After that it
// sets is sent.
type Guard func(w http.ResponseWriter, r *http.Request, next http.Handler) error

// guarded puts the guards before h, the first outermost. They are inside of the
// mux, so that what they refuse is known by its route.
func (s *server) guarded(h http.Handler) http.Handler {
	for _, g := range slices.Backward(s.Guards) {
		next := h
		h = s.handle(func(w http.ResponseWriter, r *http.Request) error { return g(w, r, next) })
	}
	return h
}

// challenge tells a client what to send (RFC 6750, section 3): to one that has
// sent nothing it does not speak of errors.
func challenge(h http.Header, r *http.Request, code conf.Code) {
	switch {
	case code == conf.Forbidden:
		h.Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	case r.Header.Get("Authorization") == "":
		h.Set("WWW-Authenticate", `Bearer`)
	default:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
}
