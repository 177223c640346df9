// Package scenarios holds the loads that the tester knows, as data. A scenario
// is a YAML file that the schema beside it describes; any file of that form runs.
package scenarios

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"configservice/observability/loadtest/load"
)

//go:embed *.yaml
var files embed.FS

//go:embed schema.json
var schemaText string

// A Scenario is a load and what the service must make of it.
type Scenario struct {
	Name       string
	Summary    string
	World      World
	Mix        Mix
	Phases     []load.Phase
	Watchers   int
	Thresholds Thresholds
}

// A World is what the load works on, made before it and deleted after it.
type World struct {
	Applications   int
	Configurations int   // in each application
	Bytes          []int // sizes of configurations, in turn
}

// A Mix is how often each operation comes in one cycle of the load.
type Mix map[string]int

// Thresholds are what the service must keep; zero where a scenario asks nothing.
type Thresholds struct {
	Errors         float64       // largest share of requests without the answer that they want
	P99            time.Duration // largest, from the scheduled moment
	PropagationP99 time.Duration // largest, from the sending of a change to a watcher
	PoolWaits      int           // least number of waits for a connection
	Knee           float64       // least rate that is kept up with
}

// Names returns the names of the scenarios that are built in, sorted.
func Names() []string {
	entries, _ := fs.Glob(files, "*.yaml") // the pattern is well-formed
	for i, e := range entries {
		entries[i] = strings.TrimSuffix(e, ".yaml")
	}
	slices.Sort(entries)
	return entries
}

// Load returns a scenario that is built in, or, where the name ends in .yaml,
// the one in that file; quick chooses its short form. Errors in the file come
// with line and column.
func Load(name string, quick bool, readFile func(string) ([]byte, error)) (Scenario, error) {
	if ext := path.Ext(name); ext == ".yaml" || ext == ".yml" {
		text, err := readFile(name)
		if err != nil {
			return Scenario{}, err
		}
		return parse(name, strings.TrimSuffix(path.Base(name), ext), text, quick)
	}
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return Scenario{}, fmt.Errorf("there is no scenario %q, only %s, or the path of a .yaml file", name, strings.Join(Names(), ", "))
	}
	return parse(name+".yaml", name, text, quick)
}
