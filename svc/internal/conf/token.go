package conf

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// A Scope says what a token is good for; each covers those before it.
type Scope string

// The scopes, the least first.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
	ScopeAdmin Scope = "admin"
)

// Covers reports whether who has s may do what needs the scope needed. A scope
// that is none covers nothing.
func (s Scope) Covers(needed Scope) bool {
	return s.rank() >= needed.rank() && needed.rank() > 0
}

func (s Scope) rank() int {
	switch s {
	case ScopeRead:
		return 1
	case ScopeWrite:
		return 2
	case ScopeAdmin:
		return 3
	}
	return 0
}

// MaxTokenApplications bounds the applications that a token is limited to.
const MaxTokenApplications = 1000

// A Token lets its bearer call the API. The secret itself is kept nowhere.
type Token struct {
	ID    string // ULID, assigned by the store
	Name  string // 1 to 256 characters, unique among the tokens that are kept
	Hash  TokenHash
	Scope Scope

	// Applications are the ids of those that the token is limited to; nil
	// means all. An application that is deleted stays in the list, so that
	// the token never comes to be good for more.
	Applications []string

	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// A TokenHash is the SHA-256 of a token's secret.
type TokenHash [sha256.Size]byte

// Validate reports every field that breaks a rule of the domain in one error
// of code [Invalid].
func (t Token) Validate() error {
	var p problems
	p.name(t.Name)
	if t.Scope.rank() == 0 {
		p.add("/scope", "must be read, write or admin")
	}
	if n := len(t.Applications); t.Applications != nil && (n == 0 || n > MaxTokenApplications) {
		p.add("/applications", fmt.Sprintf("has %d, must name 1 to %d or be left out", n, MaxTokenApplications))
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(t.CreatedAt) {
		p.add("/expires", "must be in the future")
	}
	return p.err()
}

// TokenSet is every token that a store keeps.
type TokenSet struct {
	Version int64   // changes with every change of the set; 0: there has never been one
	Tokens  []Token // in order of creation
}

// Tokens is a store of tokens, safe for concurrent use also by several
// processes. Its errors are like those of a [Store].
type Tokens interface {
	// CreateToken keeps a new token of t's name, hash, scope, applications and
	// expiry and returns it as kept. Codes: Invalid, Exists.
	CreateToken(ctx context.Context, t Token) (Token, error)

	// RevokeToken forgets the token of this id or else of this name, and
	// returns it. Code: NotFound.
	RevokeToken(ctx context.Context, idOrName string) (Token, error)

	// Tokens returns all tokens, those that have expired too.
	Tokens(ctx context.Context) (TokenSet, error)

	// TokensVersion returns the version of the set, at a cost that allows to
	// ask several times a second.
	TokensVersion(ctx context.Context) (int64, error)
}
