package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"configservice/observability/loadtest/load"
)

// document is a scenario as it is written.
type document struct {
	Summary    string
	World      World
	Mix        Mix
	Phases     []phase
	Watchers   int
	Thresholds struct {
		Errors         float64
		P99            duration
		PropagationP99 duration `yaml:"propagation_p99"`
		PoolWaits      int      `yaml:"pool_waits"`
		Knee           float64
	}
	Quick struct {
		World    *World
		Phases   []phase
		Watchers *int
	}
}

type phase struct {
	Rate, To float64
	For      duration
}

type duration time.Duration

// UnmarshalYAML reads what the schema has let through.
func (d *duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	*d = duration(parsed)
	return err
}

// parse names the file in its errors, each with line and column.
func parse(file, name string, text []byte, quick bool) (Scenario, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return Scenario{}, fmt.Errorf("%s: %s", file, plain(err))
	}
	if err := check(&root); err != nil {
		return Scenario{}, fmt.Errorf("%s:%w", file, err)
	}
	var d document
	if err := root.Decode(&d); err != nil {
		return Scenario{}, fmt.Errorf("%s: %w", file, err)
	}
	return d.scenario(name, quick), nil
}

func (d document) scenario(name string, quick bool) Scenario {
	if quick {
		d.Phases = d.Quick.Phases
		if d.Quick.World != nil {
			d.World = *d.Quick.World
		}
		if d.Quick.Watchers != nil {
			d.Watchers = *d.Quick.Watchers
		}
	}
	t := d.Thresholds
	return Scenario{
		Name: name, Summary: d.Summary, World: d.World, Mix: d.Mix, Phases: phases(d.Phases), Watchers: d.Watchers,
		Thresholds: Thresholds{
			Errors: t.Errors, P99: time.Duration(t.P99), PropagationP99: time.Duration(t.PropagationP99),
			PoolWaits: t.PoolWaits, Knee: t.Knee,
		},
	}
}

func phases(written []phase) (all []load.Phase) {
	for _, p := range written {
		to := p.To
		if to == 0 {
			to = p.Rate
		}
		all = append(all, load.Phase{From: p.Rate, To: to, For: time.Duration(p.For)})
	}
	return all
}

// check holds the document against the schema. Its error begins with the line
// and column of the first fault.
func check(root *yaml.Node) error {
	if len(root.Content) == 0 {
		return errors.New("1:1: the file is empty")
	}
	schema, err := compile()
	if err != nil {
		return err
	}
	var value any
	if err := root.Decode(&value); err != nil {
		return fmt.Errorf(" %s", plain(err))
	}
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(value); !errors.As(err, &invalid) {
		return err
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	node := find(root.Content[0], invalid)
	what := invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return fmt.Errorf("%d:%d: %s: %s", node.Line, node.Column, "/"+strings.Join(invalid.InstanceLocation, "/"), what)
}

// plain is an error of YAML, which has the line, in one line.
func plain(err error) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
}

func compile() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		return nil, err
	}
	return c.Compile("schema.json")
}

// find returns the node that a fault is about: the one at its location, or, for
// a key that is wrong, the key.
func find(node *yaml.Node, fault *jsonschema.ValidationError) *yaml.Node {
	for _, step := range fault.InstanceLocation {
		key, value := child(node, step)
		if value == nil {
			if key != nil {
				return key
			}
			break
		}
		node = value
	}
	return wrongKey(node, fault)
}

func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	if node.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i < len(node.Content) {
			return nil, node.Content[i]
		}
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

// wrongKey returns the key of node that should not be there, when that is the
// fault, and otherwise node.
func wrongKey(node *yaml.Node, fault *jsonschema.ValidationError) *yaml.Node {
	if extra, ok := fault.ErrorKind.(*kind.AdditionalProperties); ok {
		if key, _ := child(node, extra.Properties[0]); key != nil {
			return key
		}
	}
	return node
}
