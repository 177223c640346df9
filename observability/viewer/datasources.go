package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// datasources are a directory of Grafana's data source files.
type datasources struct{ dir string }

// A datasource is what the app needs to know of one.
type datasource struct {
	UID  string `json:"uid" yaml:"uid"`
	Type string `json:"type" yaml:"type"`

	// TimeInterval is the time between two scrapes, like "5s".
	TimeInterval string `json:"timeInterval,omitempty" yaml:"-"`
}

// list answers with all of them. Without any the app goes by Grafana's defaults.
func (d datasources) list(w http.ResponseWriter, _ *http.Request) {
	paths, err := filepath.Glob(filepath.Join(d.dir, "*.yml"))
	all := []datasource{}
	for _, path := range paths {
		some, fault := readDatasources(path)
		all, err = append(all, some...), errors.Join(err, fault)
	}
	if err != nil {
		writeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, all)
}

func readDatasources(path string) ([]datasource, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it went away in this moment
	}
	var file struct {
		Datasources []struct {
			datasource `yaml:",inline"`
			JSONData   struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	all := make([]datasource, 0, len(file.Datasources))
	for _, one := range file.Datasources {
		one.datasource.TimeInterval = one.JSONData.TimeInterval
		all = append(all, one.datasource)
	}
	return all, nil
}
