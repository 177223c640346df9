//go:build !otelhttp

package main

import (
	"net/http"

	"configservice/svc/internal/instrument"
)

// httpMiddleware returns what measures requests. Built with the tag otelhttp
// the service has another, to be compared with.
func httpMiddleware(p instrument.Providers) (func(http.Handler) http.Handler, error) {
	return instrument.HTTP(p)
}
