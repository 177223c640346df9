package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// runbooks are a directory of Markdown files, one for each alert.
type runbooks struct{ dir string }

// list answers with the names of all pages.
func (b runbooks) list(w http.ResponseWriter, _ *http.Request) {
	paths, err := filepath.Glob(filepath.Join(b.dir, "*.md"))
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".md"))
	}
	writeJSON(w, http.StatusOK, names)
}

// get answers with the Markdown of a page. The root keeps names with dots and
// slashes inside the directory.
func (b runbooks) get(w http.ResponseWriter, r *http.Request) {
	text, err := b.read(r.PathValue("name"))
	if err != nil {
		writeError(w, http.StatusNotFound, fmt.Sprintf("there is no runbook %q in %s", r.PathValue("name"), b.dir))
		return
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text)
}

func (b runbooks) read(name string) ([]byte, error) {
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(name + ".md")
}
