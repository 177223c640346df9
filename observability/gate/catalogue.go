package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"configservice/observability/internal/prom"
)

// A Metric is one name in Prometheus and what its series look like.
type Metric struct {
	Name   string `json:"name"`
	Type   string `json:"type"` // as its source tells it: counter, gauge, histogram, summary
	Labels Labels `json:"labels"`
}

// Labels are the names of labels, each with its values where these are few and fixed; where they are
// not, with none.
type Labels map[string][]string

// A Catalogue is what there is to ask for, by name.
type Catalogue map[string]Metric

// closed are the labels whose values are part of the contract.
func closed() []string {
	return []string{
		"job", "via", "le",
		"outcome", "source", "operation", "transport", "limit", "cpu_mode", "go_memory_type",
		"db_client_connection_state", "db_client_connection_pool_name",
		"otel_signal", "processor", "exporter", "receiver", "data_type",
	}
}

// Observe returns what Prometheus has of everything that keep wants.
func Observe(ctx context.Context, client prom.Client, keep func(name, job string) bool) (Catalogue, error) {
	types, err := client.Types(ctx)
	if err != nil {
		return nil, err
	}
	series, err := client.Series(ctx, `{__name__!~"ALERTS.*|.*:.*", job!=""}`)
	if err != nil {
		return nil, err
	}
	seen := Catalogue{}
	for _, labels := range series {
		name := labels["__name__"]
		if !keep(name, labels["job"]) {
			continue
		}
		metric, ok := seen[name]
		if !ok {
			metric = Metric{name, typeOf(name, types), Labels{}}
			seen[name] = metric
		}
		delete(labels, "__name__")
		metric.Labels.add(labels)
	}
	return seen, nil
}

// typeOf knows that a counter and a histogram have more names than one, and what Prometheus adds to
// each target.
func typeOf(name string, types map[string]string) string {
	if name == "up" || strings.HasPrefix(name, "scrape_") {
		return "gauge"
	}
	if t, ok := types[name]; ok {
		return t
	}
	for _, suffix := range []string{"_total", "_bucket", "_count", "_sum"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && types[base] != "" {
			return types[base]
		}
	}
	return "unknown"
}

func (l Labels) add(labels map[string]string) {
	for name, value := range labels {
		values := l[name]
		if slices.Contains(closed(), name) && !slices.Contains(values, value) {
			values = append(values, value)
			slices.Sort(values)
		}
		l[name] = values
	}
}

// Compare returns how what is there differs from the catalogue. A label or a metric of rare need not
// be there, but may.
func Compare(catalogue, there, rare Catalogue) (faults []error) {
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		want, got := catalogue[name], there[name]
		if got.Name == "" {
			faults = append(faults, fmt.Errorf("%s is in the catalogue, and the stack does not emit it", name))
			continue
		}
		if want.Type != got.Type {
			faults = append(faults, fmt.Errorf("%s is a %s, in the catalogue a %s", name, got.Type, want.Type))
		}
		faults = append(faults, compareLabels(name, want.Labels, got.Labels, rare[name].Labels)...)
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if catalogue[name].Name == "" && rare[name].Name == "" {
			faults = append(faults, fmt.Errorf("%s is emitted, and not in the catalogue; if that is meant: make catalogue", name))
		}
	}
	return faults
}

func compareLabels(metric string, want, got, rare Labels) (faults []error) {
	for _, label := range slices.Sorted(maps.Keys(want)) {
		values, ok := got[label]
		switch _, seldom := rare[label]; {
		case !ok && !seldom:
			faults = append(faults, fmt.Errorf("%s has the label %s in the catalogue, and not in what the stack emits", metric, label))
		case ok && !slices.Equal(values, want[label]):
			faults = append(faults, fmt.Errorf("%s: the values of %s are %q, in the catalogue %q", metric, label, values, want[label]))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(got)) {
		_, known := want[label]
		if _, seldom := rare[label]; !known && !seldom {
			faults = append(faults, fmt.Errorf("%s is emitted with the label %s, which is not in the catalogue; if that is meant: make catalogue", metric, label))
		}
	}
	return faults
}

// With returns the catalogue and, added to it, what is rare.
func (c Catalogue) With(rare Catalogue) Catalogue {
	all := maps.Clone(c)
	for name, metric := range rare {
		if known, ok := all[name]; ok {
			metric.Type = known.Type
			metric.Labels = maps.Clone(metric.Labels)
			for label, values := range known.Labels {
				metric.Labels[label] = values
			}
		}
		all[name] = metric
	}
	return all
}

// ReadCatalogue reads a file that WriteCatalogue wrote.
func ReadCatalogue(file string) (Catalogue, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w; make catalogue writes it", err)
	}
	var metrics []Metric
	if err := json.Unmarshal(text, &metrics); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	catalogue := Catalogue{}
	for _, metric := range metrics {
		catalogue[metric.Name] = metric
	}
	return catalogue, nil
}

// WriteCatalogue writes a metric a line, in the order of their names, so that a difference is what
// has changed.
func WriteCatalogue(file string, catalogue Catalogue) error {
	var text bytes.Buffer
	separator := "[\n"
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		line, err := json.Marshal(catalogue[name])
		if err != nil {
			return err
		}
		text.WriteString(separator)
		text.Write(line)
		separator = ",\n"
	}
	text.WriteString("\n]\n")
	return os.WriteFile(file, text.Bytes(), 0o644)
}
