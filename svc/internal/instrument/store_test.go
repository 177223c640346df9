package instrument

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"configservice/svc/internal/conf"
)

// A fakeStore answers every call with what a test gave it, and remembers what
// it was asked.
type fakeStore struct {
	err   error
	asked []any
	ctx   context.Context
}

func (f *fakeStore) ask(ctx context.Context, args ...any) error {
	f.ctx, f.asked = ctx, args
	return f.err
}

var (
	anApplication   = conf.Application{ID: "a", Name: "name", Revision: 7, ConfigurationIDs: []string{"c"}}
	aConfiguration  = conf.Configuration{ID: "c", Name: "name", Config: json.RawMessage(`{"k":"v"}`), Version: 3}
	someApplication = conf.NewPage([]conf.Application{anApplication}, 9, conf.Window{Limit: 1})
	someConfigs     = conf.NewPage([]conf.Configuration{aConfiguration}, 9, conf.Window{Limit: 1})
	someStats       = conf.Stats{Revision: 5, Applications: 2, Configurations: 3}
)

func (f *fakeStore) CreateApplication(ctx context.Context, a conf.Application) (conf.Application, error) {
	return anApplication, f.ask(ctx, a)
}

func (f *fakeStore) Application(ctx context.Context, id string) (conf.Application, error) {
	return anApplication, f.ask(ctx, id)
}

func (f *fakeStore) Applications(ctx context.Context, q conf.ApplicationQuery) (conf.Page[conf.Application], error) {
	return someApplication, f.ask(ctx, q)
}

func (f *fakeStore) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	return anApplication, errors.Join(edit(&conf.Application{Name: id}), f.ask(ctx, id))
}

func (f *fakeStore) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	return 8, errors.Join(check(&conf.Application{Name: id}), f.ask(ctx, id))
}

func (f *fakeStore) CreateConfiguration(ctx context.Context, c conf.Configuration) (conf.Configuration, error) {
	return aConfiguration, f.ask(ctx, c)
}

func (f *fakeStore) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	return aConfiguration, f.ask(ctx, id)
}

func (f *fakeStore) ConfigurationByName(ctx context.Context, application, name string) (conf.Configuration, error) {
	return aConfiguration, f.ask(ctx, application, name)
}

func (f *fakeStore) Configurations(ctx context.Context, q conf.ConfigurationQuery) (conf.Page[conf.Configuration], error) {
	return someConfigs, f.ask(ctx, q)
}

func (f *fakeStore) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return aConfiguration, errors.Join(edit(&conf.Configuration{Name: id}), f.ask(ctx, id))
}

func (f *fakeStore) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	return 8, errors.Join(check(&conf.Configuration{Name: id}), f.ask(ctx, id))
}

func (f *fakeStore) Versions(ctx context.Context, id string, w conf.Window) (conf.Page[conf.Version], error) {
	return conf.NewPage([]conf.Version{{Version: 3}}, 9, w), f.ask(ctx, id, w)
}

func (f *fakeStore) Version(ctx context.Context, id string, version int64) (conf.Version, error) {
	return conf.Version{Version: version}, f.ask(ctx, id, version)
}

func (f *fakeStore) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	return aConfiguration, errors.Join(check(&conf.Configuration{Name: id}), f.ask(ctx, id, version))
}

func (f *fakeStore) ConfigurationAt(ctx context.Context, id string, at conf.Point) (conf.Configuration, error) {
	return aConfiguration, f.ask(ctx, id, at)
}

func (f *fakeStore) ConfigurationByNameAt(ctx context.Context, application, name string, at conf.Point) (conf.Configuration, error) {
	return aConfiguration, f.ask(ctx, application, name, at)
}

func (f *fakeStore) Changes(ctx context.Context, after int64, limit int) ([]conf.Transaction, error) {
	return []conf.Transaction{{Revision: after + 1}}, f.ask(ctx, after, limit)
}

func (f *fakeStore) Audit(ctx context.Context, q conf.AuditQuery) (conf.Page[conf.AuditEntry], error) {
	return conf.NewPage([]conf.AuditEntry{{Revision: 7}}, 9, q.Window), f.ask(ctx, q)
}

func (f *fakeStore) Prune(ctx context.Context, r conf.Retention) error { return f.ask(ctx, r) }

func (f *fakeStore) Stats(ctx context.Context) (conf.Stats, error) { return someStats, f.ask(ctx) }

// storeCall is one method of a store, called with arguments that tell it from
// the others.
type storeCall struct {
	name      string
	operation string // db.operation.name and db.collection.name
	payload   bool
	call      func(ctx context.Context, s conf.Store) (any, error)
}

func agree[T any](*T) error { return nil }

func storeCalls() []storeCall {
	return []storeCall{
		{"CreateApplication", "INSERT applications", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.CreateApplication(ctx, conf.Application{Name: "new"})
		}},
		{"Application", "SELECT applications", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Application(ctx, "one")
		}},
		{"Applications", "SELECT applications", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Applications(ctx, conf.ApplicationQuery{Name: "some"})
		}},
		{"UpdateApplication", "UPDATE applications", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.UpdateApplication(ctx, "changed", agree)
		}},
		{"DeleteApplication", "DELETE applications", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.DeleteApplication(ctx, "gone", agree)
		}},
		{"CreateConfiguration", "INSERT configurations", true, func(ctx context.Context, s conf.Store) (any, error) {
			return s.CreateConfiguration(ctx, conf.Configuration{Name: "new"})
		}},
		{"Configuration", "SELECT configurations", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Configuration(ctx, "one")
		}},
		{"ConfigurationByName", "SELECT configurations", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.ConfigurationByName(ctx, "application", "name")
		}},
		{"Configurations", "SELECT configurations", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Configurations(ctx, conf.ConfigurationQuery{ApplicationID: "some"})
		}},
		{"UpdateConfiguration", "UPDATE configurations", true, func(ctx context.Context, s conf.Store) (any, error) {
			return s.UpdateConfiguration(ctx, "changed", agree)
		}},
		{"DeleteConfiguration", "DELETE configurations", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.DeleteConfiguration(ctx, "gone", agree)
		}},
		{"Versions", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Versions(ctx, "one", conf.Window{Limit: 3})
		}},
		{"Version", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Version(ctx, "one", 3)
		}},
		{"RollbackConfiguration", "UPDATE configurations", true, func(ctx context.Context, s conf.Store) (any, error) {
			return s.RollbackConfiguration(ctx, "changed", 3, agree)
		}},
		{"ConfigurationAt", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.ConfigurationAt(ctx, "one", conf.Point{Revision: 4})
		}},
		{"ConfigurationByNameAt", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.ConfigurationByNameAt(ctx, "application", "name", conf.Point{Revision: 4})
		}},
		{"Changes", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Changes(ctx, 3, 4)
		}},
		{"Audit", "SELECT changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return s.Audit(ctx, conf.AuditQuery{ChangedBy: "kim"})
		}},
		{"Prune", "DELETE changes", false, func(ctx context.Context, s conf.Store) (any, error) {
			return nil, s.Prune(ctx, conf.Retention{Versions: 3})
		}},
		{"Stats", "SELECT store", false, func(ctx context.Context, s conf.Store) (any, error) { return s.Stats(ctx) }},
	}
}

// storeErrors are how a call can end, and whether the database failed.
func storeErrors() map[string]struct {
	err   error
	fails string
} {
	type ending = struct {
		err   error
		fails string
	}
	return map[string]ending{
		"ok":                  {nil, ""},
		"invalid":             {conf.Errorf(conf.Invalid, "no"), ""},
		"unknown application": {conf.Errorf(conf.UnknownApplication, "no"), ""},
		"not found":           {fmt.Errorf("wrapped: %w", conf.Errorf(conf.NotFound, "no")), ""},
		"exists":              {conf.Errorf(conf.Exists, "no"), ""},
		"precondition":        {conf.Errorf(conf.PreconditionFailed, "no"), ""},
		"unavailable":         {conf.Errorf(conf.Unavailable, "no"), "unavailable"},
		"internal":            {conf.Errorf(conf.Internal, "no"), "internal"},
		"foreign":             {errors.New("driver says no"), "internal"},
	}
}

func TestMeasuredStoreAnswersSomethingElse(t *testing.T) {
	for _, sampled := range []bool{false, true} {
		for ending, e := range storeErrors() {
			for _, c := range storeCalls() {
				r := newRig(t, sdktrace.NeverSample())
				plain, inner := &fakeStore{err: e.err}, &fakeStore{err: e.err}
				measured := must[conf.Store](t)(Store(inner, r.Providers, "sqlite"))
				want, wantErr := c.call(t.Context(), plain)
				got, gotErr := c.call(r.manualTrace(sampled), measured)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, %s: %s", c.name, ending, diff)
				}
				if fmt.Sprint(wantErr) != fmt.Sprint(gotErr) || !errors.Is(gotErr, e.err) && e.err != nil {
					t.Errorf("%s, %s: error %v, not %v", c.name, ending, gotErr, wantErr)
				}
				if diff := cmp.Diff(plain.asked, inner.asked); diff != "" {
					t.Errorf("%s, %s was asked something else: %s", c.name, ending, diff)
				}
			}
		}
	}
}

func TestEditsErrorIsChanged(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	measured := must[conf.Store](t)(Store(&fakeStore{}, r.Providers, "sqlite"))
	refusal := conf.Errorf(conf.PreconditionFailed, "version 3 is not 2")
	_, err := measured.UpdateConfiguration(t.Context(), "id", func(*conf.Configuration) error { return refusal })
	if !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
}

func TestStoreCallIsMeasuredAsAnother(t *testing.T) {
	for ending, e := range storeErrors() {
		for _, c := range storeCalls() {
			t.Run(c.name+"/"+ending, func(t *testing.T) {
				r := newRig(t, sdktrace.NeverSample())
				measured := must[conf.Store](t)(Store(&fakeStore{err: e.err}, r.Providers, "sqlite"))
				_, _ = c.call(r.manualTrace(true), measured)

				want := map[string]float64{durationKey(c.operation, e.fails): 1}
				if c.payload && e.err == nil {
					want["config.payload.size{}"] = 1
				}
				if diff := cmp.Diff(want, r.counts(t, "")); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff([]spanView{wantSpan(c.operation, e.fails, e.err)}, spanViews(r)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func durationKey(operation, fails string) string {
	var verb, collection string
	_, _ = fmt.Sscan(operation, &verb, &collection)
	labels := "db.collection.name=" + collection + ",db.operation.name=" + verb + ",db.system.name=sqlite"
	if fails != "" {
		labels += ",error.type=" + fails
	}
	return "db.client.operation.duration{" + labels + "}"
}

func wantSpan(operation, fails string, err error) spanView {
	v := spanView{Name: operation, Kind: "client", Status: "Unset",
		Parent: "00000000000000000000000000000abc0000000000000def", Attrs: map[string]string{"db.system.name": "sqlite"}}
	var verb, collection string
	_, _ = fmt.Sscan(operation, &verb, &collection)
	v.Attrs["db.operation.name"], v.Attrs["db.collection.name"] = verb, collection
	if fails != "" {
		v.Attrs["error.type"], v.Status = fails, "Error"+err.Error()
	}
	return v
}

func TestPayloadIsMeasuredWrong(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	measured := must[conf.Store](t)(Store(&fakeStore{}, r.Providers, "sqlite"))
	_, _ = measured.CreateConfiguration(t.Context(), conf.Configuration{})
	for _, s := range r.samples(t) {
		if s.Name == "config.payload.size" && s.Value != float64(len(aConfiguration.Config)) {
			t.Errorf("%v bytes, want %d", s.Value, len(aConfiguration.Config))
		}
	}
}

func TestUnsampledStoreCallMakesASpanOrAllocates(t *testing.T) {
	r := newRig(t, sdktrace.AlwaysSample())
	inner := &fakeStore{}
	s := must[*store](t)(newStore(inner, r.Providers, "sqlite"))
	for name, ctx := range map[string]context.Context{
		"no trace": t.Context(), "unsampled": r.manualTrace(false),
	} {
		n := testing.AllocsPerRun(1000, func() {
			c := s.operations.selectConfigurations.start(ctx)
			c.end(nil)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if _, _ = s.Stats(ctx); inner.ctx != ctx {
			t.Errorf("%s: the store got another context", name)
		}
	}
	if n := len(r.spans.Started()); n != 0 {
		t.Errorf("%d spans", n)
	}
}
