package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

const (
	queryTimeout = 60 * time.Second // of Prometheus, from the question to the last byte
	largestQuery = 1 << 20          // bytes of a POST
)

// newPrometheusProxy passes on what reads, and nothing that changes or stops.
func newPrometheusProxy(prometheus *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(prometheus)
			r.Out.Header = onlyHeaders(r.In.Header, "Accept", "Accept-Encoding", "Content-Type")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			writeError(w, http.StatusBadGateway, fmt.Sprintf("no answer from Prometheus at %s: %v; is it running? The option --prometheus of the viewer names another", prometheus.Redacted(), err))
		},
	}
	limited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, largestQuery)
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})
	mux := http.NewServeMux()
	for _, endpoint := range []string{"query", "query_range", "query_exemplars", "series", "labels", "format_query", "parse_query"} {
		mux.Handle("GET /api/v1/"+endpoint, limited)
		mux.Handle("POST /api/v1/"+endpoint, limited)
	}
	for _, endpoint := range []string{"label/{name}/values", "metadata", "rules", "alerts", "targets", "status/buildinfo"} {
		mux.Handle("GET /api/v1/"+endpoint, limited)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusForbidden, r.Method+" "+r.URL.Path+" is not passed on to Prometheus: only what reads is")
	})
	return mux
}

// onlyHeaders leaves cookies and credentials, which are not Prometheus', behind.
func onlyHeaders(all http.Header, names ...string) http.Header {
	some := http.Header{}
	for _, name := range names {
		if values := all.Values(name); len(values) > 0 {
			some[name] = values
		}
	}
	return some
}
