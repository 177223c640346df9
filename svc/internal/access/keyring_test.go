package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

func TestSecretIsShortOfChanceOrKept(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		secret, hash := NewSecret()
		random, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(secret, "cs_"))
		if err != nil || len(random) != 32 || !strings.HasPrefix(secret, "cs_") || len(secret) != secretLength {
			t.Fatalf("%q has %d random bytes, %v", secret, len(random), err)
		}
		if hash != sha256.Sum256([]byte(secret)) || seen[secret] {
			t.Fatalf("%q is not what %x recognizes, or came before", secret, hash)
		}
		seen[secret] = true
	}
}

func TestHeaderThatIsNoTokenIsTakenForOne(t *testing.T) {
	r := newRig(t)
	s := r.token(t, conf.Token{Scope: conf.ScopeRead})
	for name, tc := range map[string]struct {
		headers []string
		ok      bool
	}{
		"the token":                  {[]string{"Bearer " + s}, true},
		"a scheme in small letters":  {[]string{"bearer " + s}, true},
		"a scheme in large letters":  {[]string{"BEARER " + s}, true},
		"two spaces":                 {[]string{"Bearer  " + s}, true},
		"no header":                  {nil, false},
		"an empty header":            {[]string{""}, false},
		"the scheme alone":           {[]string{"Bearer"}, false},
		"the scheme and a space":     {[]string{"Bearer "}, false},
		"no scheme":                  {[]string{s}, false},
		"no space":                   {[]string{"Bearer" + s}, false},
		"a tab":                      {[]string{"Bearer\t" + s}, false},
		"another scheme":             {[]string{"Basic " + s}, false},
		"another scheme, as long":    {[]string{"Digest " + s}, false},
		"the header twice":           {[]string{"Bearer " + s, "Bearer " + s}, false},
		"a good and a bad header":    {[]string{"Bearer " + s, "Basic eDp5"}, false},
		"two tokens":                 {[]string{"Bearer " + s + ", Bearer " + s}, false},
		"a token and a rest":         {[]string{"Bearer " + s + " x"}, false},
		"a token less its end":       {[]string{"Bearer " + s[:len(s)-1]}, false},
		"a token with other letters": {[]string{"Bearer " + strings.ToUpper(s)}, false},
		"a token of somebody's own":  {[]string{"Bearer cs_" + strings.Repeat("A", 43)}, false},
		"a huge token":               {[]string{"Bearer " + strings.Repeat("A", 60_000)}, false},
		"a token behind a NUL":       {[]string{"Bearer \x00" + s[1:]}, false},
		"the hash of the token":      {[]string{"Bearer " + string(hashOf(s)) + s[32:]}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := r.Authenticate(http.Header{"Authorization": tc.headers})
			if tc.ok {
				wantCode(t, err, "")
				return
			}
			wantCode(t, err, conf.Unauthenticated)
			if p != nil || strings.Contains(err.Error(), s[5:20]) {
				t.Errorf("%v as %v", err, p)
			}
		})
	}
}

func hashOf(secret string) []byte {
	hash := sha256.Sum256([]byte(secret))
	return hash[:]
}

// The cost of a check is part of the cost of each read.
func TestCheckOfATokenAllocates(t *testing.T) {
	r := newRig(t)
	s := r.token(t, conf.Token{Scope: conf.ScopeRead, Applications: []string{"a", "b"}, ExpiresAt: r.clock.Add(time.Hour)})
	h, ctx := bearerHeader(s), r.as(t, s)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := r.Authenticate(h); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Authenticate makes %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		if !Viewer(ctx).Allowed("a") || Viewer(ctx).Allowed("c") {
			t.Fatal("wrong")
		}
	}); n != 0 {
		t.Errorf("Allowed makes %v allocations", n)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	r := newRig(b)
	h := bearerHeader(r.token(b, conf.Token{Scope: conf.ScopeRead, ExpiresAt: time.Now().Add(time.Hour)}))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Authenticate(h); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkAllowed(b *testing.B) {
	r := newRig(b)
	ctx := r.as(b, r.token(b, conf.Token{Scope: conf.ScopeRead, Applications: []string{"a", "b"}, ExpiresAt: time.Now().Add(time.Hour)}))
	b.ReportAllocs()
	for b.Loop() {
		if !Viewer(ctx).Allowed("a") {
			b.Fatal("not allowed")
		}
	}
}

// BenchmarkGuard is all that a request pays for access, context included.
func BenchmarkGuard(b *testing.B) {
	r := newRig(b)
	req := httptest.NewRequest(http.MethodGet, "/api/v1/config/a/b?min_revision=7", nil)
	req.Header = bearerHeader(r.token(b, conf.Token{Scope: conf.ScopeRead}))
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Guard(nil, req, next); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRevokedTokenGoesOnInWhatIsUnderWay(t *testing.T) {
	r := newRig(t)
	one := r.token(t, conf.Token{Name: "one", Scope: conf.ScopeRead})
	two := r.token(t, conf.Token{Name: "two", Scope: conf.ScopeRead})
	ctx, other := r.as(t, one), r.as(t, two)
	if !Viewer(ctx).Allowed("a") || Viewer(ctx).Live() != nil || Name(ctx) != "one" || ID(ctx) == "" {
		t.Fatal("a good token is not")
	}
	r.revoke(t, "one")
	if Viewer(ctx).Allowed("a") {
		t.Error("a watch with a revoked token still gets events")
	}
	wantCode(t, Viewer(ctx).Live(), conf.Unauthenticated)
	if _, err := r.Authenticate(bearerHeader(one)); conf.CodeOf(err) != conf.Unauthenticated {
		t.Errorf("a revoked token is taken: %v", err)
	}
	if !Viewer(other).Allowed("a") || Viewer(other).Live() != nil {
		t.Error("another token went with it")
	}
}

func TestTokenOutlivesItsExpiry(t *testing.T) {
	r := newRig(t)
	expires := r.clock.Add(time.Hour)
	s := r.token(t, conf.Token{Scope: conf.ScopeRead, ExpiresAt: expires})
	ctx := r.as(t, s)
	r.clock = expires.Add(-time.Microsecond)
	if !Viewer(ctx).Allowed("a") {
		t.Error("it expired too early")
	}
	r.clock = expires
	if Viewer(ctx).Allowed("a") {
		t.Error("a watch with an expired token still gets events")
	}
	wantCode(t, Viewer(ctx).Live(), conf.Unauthenticated)
	_, err := r.Authenticate(bearerHeader(s))
	wantCode(t, err, conf.Unauthenticated)
}

func TestFirstTokenLeavesTheDoorOpen(t *testing.T) {
	r := newRig(t)
	anybody := r.as(t, "")
	if !r.Open() || !Viewer(anybody).Allowed("a") || Name(anybody) != "" {
		t.Fatal("a store without tokens is not open")
	}
	s := r.token(t, conf.Token{Name: "first", Scope: conf.ScopeRead})
	if r.Open() || Viewer(anybody).Allowed("a") {
		t.Error("who came before the first token may go on")
	}
	wantCode(t, Viewer(anybody).Live(), conf.Unauthenticated)
	_, err := r.Authenticate(http.Header{})
	wantCode(t, err, conf.Unauthenticated)
	r.as(t, s)
}

func TestRevokingTheLastTokenOpensTheDoor(t *testing.T) {
	r := newRig(t)
	r.token(t, conf.Token{Name: "only", Scope: conf.ScopeRead})
	r.revoke(t, "only")
	again, err := NewKeyring(t.Context(), r.store, slog.New(slog.DiscardHandler)) // as after a restart
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []*Keyring{r.Keyring, again} {
		_, err := k.Authenticate(http.Header{})
		if wantCode(t, err, conf.Unauthenticated); k.Open() {
			t.Error("it is open")
		}
	}
}

// brokenTokens fails as long as it is told to.
type brokenTokens struct {
	kept
	err error
}

type kept = conf.Tokens

func (b *brokenTokens) TokensVersion(ctx context.Context) (int64, error) {
	if b.err != nil {
		return 0, b.err
	}
	return b.kept.TokensVersion(ctx)
}

func TestStoreThatFailsLocksEverybodyOutOrFloodsTheLog(t *testing.T) {
	r := newRig(t)
	s := r.token(t, conf.Token{Scope: conf.ScopeRead})
	var log strings.Builder
	broken := &brokenTokens{kept: r.store}
	k, err := newKeyring(t.Context(), broken, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range []error{errors.New("down"), errors.New("down"), nil, nil} {
		broken.err = failure
		k.report(t.Context(), k.refresh(t.Context()))
		if _, err := k.Authenticate(bearerHeader(s)); err != nil {
			t.Errorf("while the store fails with %v: %v", failure, err)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "error=down") {
		t.Errorf("%d lines, want one for the failure and one for its end:\n%s", n, &log)
	}
	broken.err = errors.New("down")
	if _, err := NewKeyring(t.Context(), broken, slog.Default()); err == nil {
		t.Error("a service that knows no tokens started")
	}
}

func TestFollowerMissesAChange(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Follow(ctx, time.Millisecond) }()
	secret, hash := NewSecret()
	if _, err := r.store.CreateToken(ctx, conf.Token{Name: "x", Hash: hash, Scope: conf.ScopeRead}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for r.Open() {
		select {
		case <-tick.C:
		case <-time.After(10 * time.Second):
			t.Fatal("the follower does not see the token")
		}
	}
	cancel()
	<-done
	r.as(t, secret)
}
