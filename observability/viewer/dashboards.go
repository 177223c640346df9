package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

// dashboards are a directory of Grafana's dashboard files, read anew each time:
// who edits one sees it at the next reload.
type dashboards struct{ dir string }

// A dashboardFile is what the home page shows of one.
type dashboardFile struct {
	File        string   `json:"file"`
	UID         string   `json:"uid,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Error       string   `json:"error,omitempty"` // why it cannot be opened

	text json.RawMessage
}

// list answers with every file, those too that cannot be read.
func (d dashboards) list(w http.ResponseWriter, _ *http.Request) {
	files, err := d.read()
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, files)
}

// get answers with one file as it is.
func (d dashboards) get(w http.ResponseWriter, r *http.Request) {
	files, err := d.read()
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	for _, file := range files {
		if file.UID == r.PathValue("uid") {
			writeJSON(w, http.StatusOK, file.text)
			return
		}
	}
	writeError(w, http.StatusNotFound, fmt.Sprintf("no file in %s has the uid %q", d.dir, r.PathValue("uid")))
}

func (d dashboards) read() ([]dashboardFile, error) {
	if _, err := os.Stat(d.dir); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(d.dir, "*.json"))
	files := make([]dashboardFile, 0, len(paths))
	for _, path := range paths {
		files = append(files, readDashboard(path))
	}
	return files, err
}

func readDashboard(path string) dashboardFile {
	file := dashboardFile{File: filepath.Base(path)}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	switch {
	case err != nil:
		file.Error = err.Error()
	case file.UID == "":
		file.Error = "it has no uid"
	}
	file.text = text
	return file
}
