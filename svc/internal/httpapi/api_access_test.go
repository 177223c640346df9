package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"configservice/svc/internal/access"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/limit"
	"configservice/svc/internal/sqlstore"
)

// uncounted is an observer of limits that does not care.
type uncounted struct{}

func (uncounted) Rejected(context.Context, string) {}

// accessAndLimits makes every call of the API meet each of its guards.
func accessAndLimits(t *testing.T, c *contract) {
	store := openStore(t)
	own, err := store.CreateApplication(t.Context(), conf.Application{Name: "own"})
	if err != nil {
		t.Fatal(err)
	}
	limited := makeToken(t, store, conf.Token{Name: "limited", Scope: conf.ScopeWrite, Applications: []string{own.ID}})
	keys, err := access.NewKeyring(t.Context(), store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	everybody := func(*http.Request) string { return "everybody" }
	writes := limit.NewWrites(0.001, 1, everybody, uncounted{})
	for _, tc := range []struct {
		name   string
		guard  httpapi.Guard
		header string
		want   func(call) int
	}{
		{"no token", keys.Guard, "", func(call) int { return 401 }},
		{"a wrong token", keys.Guard, "Bearer " + strings.Repeat("x", 46), func(call) int { return 401 }},
		{"a token for something else", keys.Guard, "Bearer " + limited, asLimited},
		{"too many requests", limit.NewRequests(0, uncounted{}).Guard, "", func(call) int { return 503 }},
		{"too many writes", writes.Guard, "", func(c call) int {
			if c.method == "GET" {
				return 401 // the rate is that of writes; the store wants to know who reads
			}
			return 429
		}},
	} {
		a := serveWith(t, c, httpapi.Options{Store: access.Store(store), Guards: []httpapi.Guard{tc.guard}})
		if tc.name == "too many writes" {
			a.do(call{method: "POST", path: "/api/v1/applications", body: `{"name":"the last for now"}`})
		}
		a.run(tc.name, func(t *testing.T, a *api) {
			for _, request := range callsOfTheAPI() {
				request.header = map[string]string{"Authorization": tc.header}
				checkRefusal(t, a.want(tc.want(request), request), tc.header)
			}
		})
	}
}

func makeToken(t *testing.T, store *sqlstore.Store, token conf.Token) (secret string) {
	t.Helper()
	secret, token.Hash = access.NewSecret()
	if _, err := store.CreateToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return secret
}

// callsOfTheAPI are right requests for every operation of it, each about
// something that does not exist.
func callsOfTheAPI() []call {
	return append(callsOnStore(),
		call{method: "GET", path: "/api/v1/configurations?application_id=" + absent},
		call{method: "GET", path: "/api/v1/watch?application_id=" + absent})
}

// asLimited is how a call ends for a token that is limited to an application
// that the call is not about: only lists of all are for everybody.
func asLimited(c call) int {
	if c.method == "GET" && (c.path == "/api/v1/applications" || c.path == "/api/v1/configurations") {
		return 200
	}
	return 403
}

// checkRefusal wants the headers that tell a client what to do.
func checkRefusal(t *testing.T, got answer, sent string) {
	t.Helper()
	want := map[int]string{401: "Bearer", 403: `Bearer error="insufficient_scope"`}[got.status]
	if got.status == 401 && sent != "" {
		want = `Bearer error="invalid_token"`
	}
	equal(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"), want)
	if later := got.header.Get("Retry-After"); (later != "") != (got.status == 429 || got.status == 503) {
		t.Errorf("%d with Retry-After %q", got.status, later)
	}
}
