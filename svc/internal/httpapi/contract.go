package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5emb"
	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var contract []byte

// openapiYAML serves the contract as it is written.
func openapiYAML() http.Handler {
	return newDocument("application/yaml", contract)
}

// openapiJSON serves the contract as JSON, converted once, here.
func openapiJSON() (http.Handler, error) {
	var root any
	if err := yaml.Unmarshal(contract, &root); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	text, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return newDocument("application/json", text), nil
}

// A document is a fixed body that is served with a tag of its content.
type document struct {
	contentType string
	body        []byte
	etag        string
}

func newDocument(contentType string, body []byte) document {
	sum := sha256.Sum256(body)
	return document{contentType, body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

func (d document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", d.contentType)
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
}

// docsPolicy lets the page load and call nothing but this host. Its own script
// and styles are inline, and its icons are data.
const docsPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPage serves the page to read and try the contract at base, and its
// assets below. It wants the contract at /openapi.json.
func docsPage(base string) handler {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title:       "Configuration Service",
		SwaggerJSON: "/openapi.json",
		BasePath:    base,
		SettingsUI:  map[string]string{"displayRequestDuration": "true"},
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		if asset := r.PathValue("asset"); asset != "" && !isDocsAsset(asset) {
			return routeNotFound(w, r)
		}
		h := w.Header()
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		page.ServeHTTP(w, r)
		return nil
	}
}

// isDocsAsset reports whether the page has a file of this name. Most of them
// are kept compressed, under a name that tells so.
func isDocsAsset(name string) bool {
	_, err := static.FS.Open(name)
	if err != nil {
		_, err = static.FS.Open(name + ".gz")
	}
	return err == nil
}
