package access

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"configservice/svc/internal/conf"
)

func TestMethodNeedsLessThanItsScope(t *testing.T) {
	r := newRig(t)
	secrets := map[conf.Scope]string{}
	for _, scope := range []conf.Scope{conf.ScopeRead, conf.ScopeWrite, conf.ScopeAdmin} {
		secrets[scope] = r.token(t, conf.Token{Scope: scope})
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"} {
		for scope, secret := range secrets {
			reached, err := r.guard(method, "/", secret)
			want := conf.Code("")
			if scope == conf.ScopeRead && method != "GET" && method != "HEAD" {
				want = conf.Forbidden
			}
			if wantCode(t, err, want); reached != (want == "") {
				t.Errorf("%s with the scope %s reached the handler: %v", method, scope, reached)
			}
		}
	}
}

// guard sends a request through the guard and reports whether it came through
// as the token's.
func (r *rig) guard(method, target, secret string) (reached bool, err error) {
	req := httptest.NewRequest(method, target, nil)
	req.Header = bearerHeader(secret)
	err = r.Guard(httptest.NewRecorder(), req, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		reached = Viewer(req.Context()).Live() == nil
	}))
	return reached, err
}

func TestTokenInTheURLIsTaken(t *testing.T) {
	r := newRig(t)
	for _, open := range []bool{true, false} {
		s := "cs_x"
		if !open {
			s = r.token(t, conf.Token{Scope: conf.ScopeAdmin})
		}
		for _, query := range []string{"access_token=" + s, "access_token=", "limit=1&access_token=" + s, "%61ccess_token=" + s, "access_token"} {
			_, err := r.guard("GET", "/?"+query, s)
			wantCode(t, err, conf.Unauthenticated)
		}
		for _, query := range []string{"", "name=access_token", "name=100%25"} {
			_, err := r.guard("GET", "/?"+query, s)
			wantCode(t, err, "")
		}
	}
}
