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
	var root yaml.Node
	if err := yaml.Unmarshal(contract, &root); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	var out bytes.Buffer
	if err := writeJSONNode(&out, &root); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return newDocument("application/json", out.Bytes()), nil
}

// writeJSONNode writes n as JSON. It walks the nodes instead of decoding them
// into a map, because the order in which the contract tells things is meant.
func writeJSONNode(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return writeJSONNode(out, n.Content[0])
	case yaml.AliasNode:
		return writeJSONNode(out, n.Alias)
	case yaml.MappingNode:
		return writeJSONObject(out, n.Content)
	case yaml.SequenceNode:
		return writeJSONArray(out, n.Content)
	default:
		return writeJSONScalar(out, n)
	}
}

func writeJSONObject(out *bytes.Buffer, pairs []*yaml.Node) error {
	out.WriteByte('{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		key, err := json.Marshal(pairs[i].Value)
		if err != nil {
			return err
		}
		out.Write(key)
		out.WriteByte(':')
		if err := writeJSONNode(out, pairs[i+1]); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func writeJSONArray(out *bytes.Buffer, items []*yaml.Node) error {
	out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := writeJSONNode(out, item); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	return nil
}

func writeJSONScalar(out *bytes.Buffer, n *yaml.Node) error {
	// A number keeps its text: 12.50 is not rewritten to 12.5.
	if tag := n.ShortTag(); (tag == "!!int" || tag == "!!float") && json.Valid([]byte(n.Value)) {
		out.WriteString(n.Value)
		return nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	out.Write(text)
	return nil
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
