package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"configservice/svc/internal/access"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/limit"
)

// tokenInterval is how often the service looks for tokens that are new or have
// been revoked.
const tokenInterval = 500 * time.Millisecond

// followTokens returns who knows the tokens there are, and goes on looking for
// changes of them until stop.
func (s *service) followTokens(ctx context.Context, tokens conf.Tokens) (keys *access.Keyring, stop func(), err error) {
	keys, err = access.NewKeyring(ctx, tokens, s.logger)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // requests in flight at the stop count, too
	done := make(chan struct{})
	go func() { defer close(done); keys.Follow(ctx, tokenInterval) }()
	return keys, func() { cancel(); <-done }, nil
}

// guards are what stands before each call of the API, the first outermost:
// load is shed before anything else is spent on it, and a write counts only
// once it is known whose it is.
func (s *service) guards(keys *access.Keyring, o limit.Observer) []httpapi.Guard {
	requests, watchers := limit.NewRequests(s.MaxRequests, o), limit.NewWatchers(s.MaxWatchers, o)
	all := []httpapi.Guard{
		func(w http.ResponseWriter, r *http.Request, next http.Handler) error {
			if waits(r) {
				return watchers.Guard(w, r, next)
			}
			return requests.Guard(w, r, next)
		},
		keys.Guard,
	}
	if s.WriteRate > 0 {
		all = append(all, limit.NewWrites(s.WriteRate, s.WriteBurst, caller, o).Guard)
	}
	return all
}

// readerOf returns who makes a request, where nothing but its token decides.
func readerOf(keys *access.Keyring) func(*http.Request) httpapi.Reader {
	return func(r *http.Request) httpapi.Reader {
		p, err := keys.Authenticate(r.Header)
		if err != nil {
			return nil
		}
		return p
	}
}

// waits reports whether a request takes long by its nature: a long poll. A
// stream of events is no request any more once it has begun, and its feed
// counts it.
func waits(r *http.Request) bool {
	return r.URL.RawQuery != "" && r.URL.Query().Has("wait")
}

// caller is whom a write counts for: the token, or without one the address.
func caller(r *http.Request) string {
	if id := access.ID(r.Context()); id != "" {
		return id
	}
	return limit.Address(r)
}

// checkExposure refuses to serve everybody on an address that everybody can
// reach, unless that is what the operator said.
func (s *service) checkExposure(keys *access.Keyring, l net.Addr) error {
	tcp, ok := l.(*net.TCPAddr)
	if !keys.Open() || s.AllowAnonymous || ok && tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--listen %s can be reached from other machines, and without a token anybody may do anything: "+
		"make one with `config-service token create --name NAME --scope admin` on this --database-url, "+
		"listen on 127.0.0.1, or say --allow-anonymous", s.Listen)
}
