package instrument

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Outcomes counts config.reads and config.writes: what became of the calls that
// the service answered.
type Outcomes struct {
	reads, writes counter
}

// NewOutcomes returns the counters with all their series at zero: a rate needs
// a value before the first event.
func NewOutcomes(p Providers) (*Outcomes, error) {
	reads, err1 := newCounter(p, "config.reads", "{read}",
		"Reads of one configuration, by where the answer came from and what it was.",
		"source", []string{"cache", "store"},
		[]string{"hit", "not_modified", "not_found"})
	writes, err2 := newCounter(p, "config.writes", "{write}",
		"Calls that would change an application or a configuration, by what became of them.",
		"operation", []string{"create", "update", "rollback", "delete"},
		[]string{"ok", "conflict", "invalid", "error"})
	return &Outcomes{reads, writes}, errors.Join(err1, err2)
}

// Read counts a read of one configuration from source ("cache" or "store") with
// its outcome ("hit", "not_modified" or "not_found").
func (o *Outcomes) Read(_ context.Context, source, outcome string) {
	o.reads.count(source, outcome)
}

// Write counts a write by its operation ("create", "update", "rollback" or
// "delete") with its outcome ("ok", "conflict", "invalid" or "error").
func (o *Outcomes) Write(_ context.Context, operation, outcome string) {
	o.writes.count(operation, outcome)
}

// A counter counts events of a few kinds, each with one of a few outcomes.
type counter struct {
	name   string
	events []event // so few that to look at each is quicker than a map
}

type event struct {
	kind, outcome string
	*tally
}

func newCounter(p Providers, name, unit, description, key string, kinds, outcomes []string) (counter, error) {
	c := counter{name: name}
	var tallies []*tally
	for _, kind := range kinds {
		for _, outcome := range outcomes {
			t := newTally(attribute.String(key, kind), attribute.String("outcome", outcome))
			c.events, tallies = append(c.events, event{kind, outcome, t}), append(tallies, t)
		}
	}
	_, err := p.meter().Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description),
		metric.WithInt64Callback(observeAll(tallies)))
	return c, err
}

// count reports an event of an unknown kind as an error of telemetry, rather
// than counting it as something that it was not.
func (c counter) count(kind, outcome string) {
	for i := range c.events {
		if e := &c.events[i]; e.outcome == outcome && e.kind == kind {
			e.Add(1)
			return
		}
	}
	otel.Handle(fmt.Errorf("%s has no %q with the outcome %q", c.name, kind, outcome))
}
