package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
)

// newHandler is the whole of what the viewer answers.
func newHandler(o options) (http.Handler, error) {
	files, err := newAssets(dist)
	if err != nil {
		return nil, err
	}
	dashboards := dashboards{filepath.Join(o.provisioning, "dashboards")}
	datasources := datasources{filepath.Join(o.provisioning, "datasources")}
	runbooks := runbooks{o.runbooks}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /api/dashboards", dashboards.list)
	mux.HandleFunc("GET /api/dashboards/{uid}", dashboards.get)
	mux.HandleFunc("GET /api/datasources", datasources.list)
	mux.HandleFunc("GET /api/runbooks", runbooks.list)
	mux.HandleFunc("GET /api/runbooks/{name}", runbooks.get)
	mux.Handle("/api/prometheus/", http.StripPrefix("/api/prometheus", newPrometheusProxy(o.prometheus)))
	mux.HandleFunc("/api/", noSuchAPI)
	for _, page := range []string{"/{$}", "/explore", "/alerts", "/runbooks", "/runbooks/{name}", "/d/{uid}"} {
		mux.HandleFunc("GET "+page, files.page)
	}
	mux.HandleFunc("GET /public/runbooks/{file}", runbookPage)
	mux.Handle("/", files)
	return secured(mux), nil
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// runbookPage leads from where Grafana serves a runbook, and where the dashboard
// files link to, to its page.
func runbookPage(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/runbooks/"+url.PathEscape(strings.TrimSuffix(r.PathValue("file"), ".md")), http.StatusMovedPermanently)
}

func noSuchAPI(w http.ResponseWriter, r *http.Request) {
	writeError(w, http.StatusNotFound, "there is no "+r.URL.Path+" here")
}

// secured lets the app load from and talk to this server only. Styles are
// written into the page by the components themselves, hence 'unsafe-inline'.
func secured(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
		"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked may have gone
}

// writeError answers in the form of Prometheus' API, which the app reads anyway.
func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"status": "error", "errorType": "viewer", "error": text})
}
