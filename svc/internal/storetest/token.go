package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

// RunTokens holds the stores of tokens that open returns, each new and empty,
// to the contract of [conf.Tokens].
func RunTokens(t *testing.T, open func(*testing.T) conf.Tokens) {
	for name, test := range map[string]func(*testing.T, conf.Tokens){
		"a created token is listed as returned":            testCreateToken,
		"a token's limits come back as they went in":       testTokenLimits,
		"a taken token name is refused":                    testTokenNameTaken,
		"a revoked token is gone and its name free":        testRevokeToken,
		"an id is not mistaken for a name":                 testRevokeByIDFirst,
		"a token that breaks a rule is refused":            testInvalidToken,
		"the version tells every change and nothing else":  testTokensVersion,
		"concurrent changes of tokens are all in the set":  testConcurrentTokens,
		"a call on tokens whose context is over ends soon": testTokensContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func hashOf(secret string) conf.TokenHash { return sha256.Sum256([]byte(secret)) }

func createToken(t *testing.T, s conf.Tokens, name string) conf.Token {
	t.Helper()
	token, err := s.CreateToken(t.Context(), conf.Token{Name: name, Hash: hashOf(name), Scope: conf.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func listTokens(t *testing.T, s conf.Tokens) []conf.Token {
	t.Helper()
	set, err := s.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set.Tokens
}

func testCreateToken(t *testing.T, s conf.Tokens) {
	wantEqual(t, listTokens(t, s), []conf.Token{})
	before := time.Now().Add(-time.Millisecond)
	one := createToken(t, s, "one")
	if len(one.ID) != 26 || one.CreatedAt.Before(before) || one.CreatedAt.Location() != time.UTC || one.Hash != hashOf("one") {
		t.Errorf("created %+v", one)
	}
	two := createToken(t, s, "two")
	wantEqual(t, listTokens(t, s), []conf.Token{one, two})
}

func testTokenLimits(t *testing.T, s conf.Tokens) {
	for i, want := range []conf.Token{
		{Scope: conf.ScopeAdmin},
		{Scope: conf.ScopeWrite, Applications: []string{"a", `b"`}},
		{Scope: conf.ScopeRead, ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Microsecond).UTC()},
	} {
		want.Name, want.Hash = fmt.Sprint("t", i), hashOf(fmt.Sprint(i))
		created, err := s.CreateToken(t.Context(), want)
		wantCode(t, err, "")
		want.ID, want.CreatedAt = created.ID, created.CreatedAt
		wantEqual(t, created, want)
		wantEqual(t, listTokens(t, s)[i], want)
	}
}

func testTokenNameTaken(t *testing.T, s conf.Tokens) {
	one := createToken(t, s, "one")
	_, err := s.CreateToken(t.Context(), conf.Token{Name: "one", Hash: hashOf("other"), Scope: conf.ScopeAdmin})
	wantCode(t, err, conf.Exists)
	wantEqual(t, listTokens(t, s), []conf.Token{one})
}

func testRevokeToken(t *testing.T, s conf.Tokens) {
	one, two := createToken(t, s, "one"), createToken(t, s, "two")
	for _, tc := range []struct {
		named string
		want  conf.Token
		left  []conf.Token
	}{
		{"one", one, []conf.Token{two}},
		{two.ID, two, []conf.Token{}},
	} {
		got, err := s.RevokeToken(t.Context(), tc.named)
		wantCode(t, err, "")
		wantEqual(t, got, tc.want)
		wantEqual(t, listTokens(t, s), tc.left)
		_, err = s.RevokeToken(t.Context(), tc.named)
		wantCode(t, err, conf.NotFound)
	}
	createToken(t, s, "one")
}

func testRevokeByIDFirst(t *testing.T, s conf.Tokens) {
	one := createToken(t, s, "one")
	imitation := createToken(t, s, one.ID)
	got, err := s.RevokeToken(t.Context(), one.ID)
	wantCode(t, err, "")
	wantEqual(t, got, one)
	wantEqual(t, listTokens(t, s), []conf.Token{imitation})
}

func testInvalidToken(t *testing.T, s conf.Tokens) {
	for _, tc := range []struct {
		token    conf.Token
		pointers []string
	}{
		{conf.Token{}, []string{"/name", "/scope"}},
		{conf.Token{Name: strings.Repeat("n", 257), Scope: "root"}, []string{"/name", "/scope"}},
		{conf.Token{Name: "x", Scope: conf.ScopeRead, Applications: []string{}}, []string{"/applications"}},
		{conf.Token{Name: "x", Scope: conf.ScopeRead, Applications: make([]string, 1001)}, []string{"/applications"}},
		{conf.Token{Name: "x", Scope: conf.ScopeRead, ExpiresAt: time.Now().Add(-time.Second)}, []string{"/expires"}},
	} {
		_, err := s.CreateToken(t.Context(), tc.token)
		wantCode(t, err, conf.Invalid)
		wantFields(t, err, tc.pointers...)
	}
	wantEqual(t, listTokens(t, s), []conf.Token{})
}

func testTokensVersion(t *testing.T, s conf.Tokens) {
	version := func() int64 {
		v, err := s.TokensVersion(t.Context())
		wantCode(t, err, "")
		set, err := s.Tokens(t.Context())
		wantCode(t, err, "")
		wantEqual(t, set.Version, v)
		return v
	}
	wantEqual(t, version(), int64(0))
	createToken(t, s, "one")
	created := version()
	_, err := s.RevokeToken(t.Context(), "nobody")
	wantCode(t, err, conf.NotFound)
	wantEqual(t, version(), created)
	_, err = s.RevokeToken(t.Context(), "one")
	wantCode(t, err, "")
	if revoked := version(); created <= 0 || revoked <= created {
		t.Errorf("the version went from 0 to %d to %d", created, revoked)
	}
}

func testConcurrentTokens(t *testing.T, s conf.Tokens) {
	const n = 20
	done := make(chan error)
	for i := range n {
		go func() {
			name := fmt.Sprint("t", i)
			_, err := s.CreateToken(t.Context(), conf.Token{Name: name, Hash: hashOf(name), Scope: conf.ScopeRead})
			done <- err
		}()
	}
	for range n {
		wantCode(t, <-done, "")
	}
	var ids []string
	for _, token := range listTokens(t, s) {
		ids = append(ids, token.ID)
	}
	slices.Sort(ids)
	wantEqual(t, len(slices.Compact(ids)), n)
}

func testTokensContext(t *testing.T, s conf.Tokens) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Tokens(ctx)
	wantCode(t, err, conf.Unavailable)
	_, err = s.TokensVersion(ctx)
	wantCode(t, err, conf.Unavailable)
	_, err = s.CreateToken(ctx, conf.Token{Name: "x", Scope: conf.ScopeRead})
	wantCode(t, err, conf.Unavailable)
	_, err = s.RevokeToken(ctx, "x")
	wantCode(t, err, conf.Unavailable)
}
