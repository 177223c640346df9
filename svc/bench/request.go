//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// A requester returns the bytes of the next request of a connection.
type requester = func(connection int) []byte

// encode writes a request as it goes over the wire.
func encode(method, path string, header http.Header, body string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench\r\n", method, path)
	for _, name := range slices.Sorted(keys(header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, header.Get(name))
	}
	if method != http.MethodGet {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return []byte(b.String() + "\r\n" + body)
}

func keys(h http.Header) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range h {
			if !yield(name) {
				return
			}
		}
	}
}

// always asks for the same again and again.
func always(request []byte) requester { return func(int) []byte { return request } }

// uniformly asks for each of some requests as often as for any other.
func uniformly(requests [][]byte) requester {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every round
	return func(int) []byte { return requests[random.IntN(len(requests))] }
}
