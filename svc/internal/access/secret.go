// Package access decides who may do what: bearer tokens (RFC 6750) with scopes,
// known to a [Keyring] that follows the store of tokens, and a [Store] that
// checks each call against the application that it is about.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"configservice/svc/internal/conf"
)

const (
	// secretPrefix lets people and scanners of repositories see what it is.
	secretPrefix = "cs_"
	secretBytes  = 32
	secretLength = len(secretPrefix) + (8*secretBytes+5)/6 // base64 has 6 bits a character
)

// NewSecret returns a secret that nobody can guess, and what recognizes it.
//
// The hash is a plain SHA-256. A slow one makes guessing passwords costly; of
// 256 random bits there is nothing to guess, and every request would pay.
func NewSecret() (secret string, hash conf.TokenHash) {
	var random [secretBytes]byte
	rand.Read(random[:]) // never fails
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	return secret, sha256.Sum256([]byte(secret))
}

// hashSecret returns the hash of what may be a secret, and false when it has
// not the length of one: however long a header is, little of it is hashed.
func hashSecret(s string) (conf.TokenHash, bool) {
	var buffer [64]byte // on the stack, where converting s would allocate
	if len(s) != secretLength {
		return conf.TokenHash{}, false
	}
	return sha256.Sum256(buffer[:copy(buffer[:], s)]), true
}

// bearer returns the token in the one value of an Authorization header. The
// scheme's letters may be large or small (RFC 9110, section 11.1).
func bearer(header string) (token string, ok bool) {
	const scheme = "bearer"
	if len(header) <= len(scheme) || header[len(scheme)] != ' ' || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	return strings.Trim(header[len(scheme):], " "), true
}
