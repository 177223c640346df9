package instrument

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"configservice/svc/internal/conf"
)

// The operations of config.writes.
const (
	create   = "create"
	update   = "update"
	rollback = "rollback"
	remove   = "delete"
)

// The outcomes of config.writes.
const (
	ok       = "ok"
	conflict = "conflict"
	invalid  = "invalid"
	failure  = "error"
)

// writes counts what became of the store's writes.
type writes struct {
	counter  metric.Int64Counter
	payload  metric.Int64Histogram
	outcomes map[writeKey][]metric.AddOption
}

type writeKey struct{ operation, outcome string }

func newWrites(p Providers) (writes, error) {
	counter, err1 := p.meter().Int64Counter("config.writes",
		metric.WithUnit("{write}"),
		metric.WithDescription("Calls that would change an application or a configuration, by what became of them."))
	payload, err2 := p.meter().Int64Histogram("config.payload.size",
		metric.WithUnit("By"),
		metric.WithDescription("Size of the JSON of each configuration kept."),
		sizeBuckets())
	if err := errors.Join(err1, err2); err != nil {
		return writes{}, err
	}
	w := writes{counter: counter, payload: payload, outcomes: map[writeKey][]metric.AddOption{}}
	for _, operation := range []string{create, update, rollback, remove} {
		for _, outcome := range []string{ok, conflict, invalid, failure} {
			w.register(writeKey{operation, outcome})
		}
	}
	return w, nil
}

// register adds a series at zero: a rate needs a value before the first event.
func (w *writes) register(k writeKey) {
	w.outcomes[k] = addOptions(
		attribute.String("operation", k.operation), attribute.String("outcome", k.outcome))
	w.counter.Add(context.Background(), 0, w.outcomes[k]...)
}

func (w *writes) count(ctx context.Context, operation string, err error) {
	w.counter.Add(ctx, 1, w.outcomes[writeKey{operation, outcomeOf(err)}]...)
}

func (w *writes) countPayload(ctx context.Context, operation string, kept conf.Configuration, err error) {
	w.count(ctx, operation, err)
	if err == nil {
		w.payload.Record(ctx, int64(len(kept.Config)))
	}
}

func outcomeOf(err error) string {
	switch conf.CodeOf(err) {
	case "":
		return ok
	case conf.Exists, conf.PreconditionFailed:
		return conflict
	case conf.Invalid, conf.UnknownApplication, conf.NotFound:
		return invalid
	}
	return failure
}
