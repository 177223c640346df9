package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

// dist is what `make viewer-assets` builds from web/.
//
//go:embed all:dist
var dist embed.FS

// assets are the files of the web app, by path.
type assets map[string]*asset

// An asset is one file, with what HTTP wants to know of it.
type asset struct {
	kind, etag string
	plain      []byte
	gzipped    func() []byte // worked out when it is first asked for; nil where it does not pay
}

func newAssets(files embed.FS) (assets, error) {
	all := assets{}
	err := fs.WalkDir(files, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		all[strings.TrimPrefix(name, "dist")] = newAsset(name, text)
		return err
	})
	return all, err
}

func newAsset(name string, text []byte) *asset {
	sum := sha256.Sum256(text)
	a := &asset{kind: mediaType(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`, plain: text}
	if !strings.HasPrefix(a.kind, "font/") {
		a.gzipped = sync.OnceValue(func() []byte { return compress(text) })
	}
	return a
}

// mediaType does not ask the system's tables, which differ.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func compress(text []byte) []byte {
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	_, _ = w.Write(text) // a Buffer takes everything
	_ = w.Close()
	return small.Bytes()
}

// ServeHTTP answers with a file. Those below /assets/ have the hash of their
// content in their name: they are kept for good; the icons and fonts for an hour.
func (all assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, found := all[r.URL.Path]
	if !found || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "no "+r.Method+" of "+r.URL.Path+" here; the dashboards are at /", http.StatusNotFound)
		return
	}
	kept := "public, max-age=3600"
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		kept = "public, max-age=31536000, immutable"
	}
	a.serve(w, r, kept)
}

// page answers with the app, which looks at the path itself.
func (all assets) page(w http.ResponseWriter, r *http.Request) {
	all["/index.html"].serve(w, r, "no-cache")
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request, kept string) {
	header, body := w.Header(), a.plain
	header.Set("Content-Type", a.kind)
	header.Set("Cache-Control", kept)
	header.Set("ETag", a.etag)
	if a.gzipped != nil {
		header.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			header.Set("Content-Encoding", "gzip")
			body = a.gzipped()
		}
	}
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body) // who asked may have gone
}
