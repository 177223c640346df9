package access

import (
	"net/http"
	"net/url"
	"strings"

	"configservice/svc/internal/conf"
)

// Guard hands on to next, as a call of the token's, a request with a token
// whose scope has its method. Every other ends in an error of code
// [conf.Unauthenticated] or [conf.Forbidden], with nothing written.
func (k *Keyring) Guard(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	if hasTokenInURL(r) {
		return conf.Errorf(conf.Unauthenticated, "a token in the URL ends up in logs: revoke it, and send one in the Authorization header")
	}
	p, err := k.Authenticate(r.Header)
	if err != nil {
		return err
	}
	if err := p.may(scopeOf(r.Method)); err != nil {
		return err
	}
	next.ServeHTTP(w, r.WithContext(with(r.Context(), p)))
	return nil
}

// Authenticate returns whose token is in the headers. The secret itself is
// compared with nothing: its hash is looked up, and how long that takes tells
// only of the hash, from which nobody gets back to a secret.
func (k *Keyring) Authenticate(h http.Header) (*Principal, error) {
	keys := k.current.Load()
	if keys.anybody != nil {
		return keys.anybody, nil
	}
	headers := h["Authorization"]
	if len(headers) == 0 {
		return nil, conf.Errorf(conf.Unauthenticated, "a token is needed: send Authorization: Bearer and the token")
	}
	token, ok := bearer(headers[0])
	if !ok || len(headers) > 1 {
		return nil, conf.Errorf(conf.Unauthenticated, "the Authorization header is not the word Bearer and one token")
	}
	hash, ok := hashSecret(token)
	p := keys.byHash[hash]
	if !ok || p == nil {
		return nil, conf.Errorf(conf.Unauthenticated, "the token is not known, or has been revoked")
	}
	return p, p.Live()
}

// hasTokenInURL reports whether a request uses what RFC 6750, section 2.3, has
// and RFC 9700 forbids.
func hasTokenInURL(r *http.Request) bool {
	const name = "access_token"
	if !strings.Contains(r.URL.RawQuery, name) && !strings.Contains(r.URL.RawQuery, "%") {
		return false
	}
	values, _ := url.ParseQuery(r.URL.RawQuery) // what is malformed is left out
	return values.Has(name)
}

// scopeOf returns the least that a method needs.
func scopeOf(method string) conf.Scope {
	if method == http.MethodGet || method == http.MethodHead {
		return conf.ScopeRead
	}
	return conf.ScopeWrite
}
