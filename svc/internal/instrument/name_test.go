package instrument

import (
	"database/sql"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/processconv"

	"configservice/svc/internal/conf"
)

// A convention is what the generated packages say of a metric.
type convention interface {
	Name() string
	Unit() string
	Description() string
}

// promise is one row of the table of signals that dashboards and alerts read.
type promise struct {
	name, kind, unit string
	attrs            string // sorted; a ? marks one that is not on every series
	convention       convention
}

func promises() []promise {
	const (
		request = "error.type? http.request.method http.response.status_code http.route url.scheme"
		pool    = "db.client.connection.pool.name"
	)
	return []promise{
		{"http.server.request.duration", "histogram", "s", request, httpconv.ServerRequestDuration{}},
		{"http.server.request.body.size", "histogram", "By", request, httpconv.ServerRequestBodySize{}},
		{"http.server.response.body.size", "histogram", "By", request, httpconv.ServerResponseBodySize{}},
		{"http.server.active_requests", "up-down counter", "{request}", "http.request.method url.scheme", httpconv.ServerActiveRequests{}},
		{"db.client.operation.duration", "histogram", "s", "db.collection.name db.operation.name db.system.name error.type?", dbconv.ClientOperationDuration{}},
		{"db.client.connection.count", "up-down counter", "{connection}", pool + " db.client.connection.state", dbconv.ClientConnectionCount{}},
		{"db.client.connection.max", "up-down counter", "{connection}", pool, dbconv.ClientConnectionMax{}},
		{"db.client.connection.idle.max", "up-down counter", "{connection}", pool, dbconv.ClientConnectionIdleMax{}},
		{"db.client.connection.pending_requests", "up-down counter", "{request}", pool, dbconv.ClientConnectionPendingRequests{}},
		{"db.client.connection.timeouts", "counter", "{timeout}", pool, dbconv.ClientConnectionTimeouts{}},
		{"db.client.connection.wait_time", "histogram", "s", pool, dbconv.ClientConnectionWaitTime{}},
		{"db.client.connection.use_time", "histogram", "s", pool, dbconv.ClientConnectionUseTime{}},
		{"db.client.connection.create_time", "histogram", "s", pool, dbconv.ClientConnectionCreateTime{}},
		{"process.cpu.time", "counter", "s", "cpu.mode", processconv.CPUTime{}},
		{"process.memory.usage", "up-down counter", "By", "", processconv.MemoryUsage{}},
		{"process.memory.virtual", "up-down counter", "By", "", processconv.MemoryVirtual{}},
		{"process.unix.file_descriptor.count", "up-down counter", "{file_descriptor}", "", processconv.UnixFileDescriptorCount{}},
		{"process.uptime", "gauge", "s", "", processconv.Uptime{}},
		{"config.applications", "gauge", "{application}", "", nil},
		{"config.configurations", "gauge", "{configuration}", "", nil},
		{"config.store.revision", "gauge", "{revision}", "", nil},
		{"config.store.disk.available", "gauge", "By", "", nil},
		{"config.store.disk.capacity", "gauge", "By", "", nil},
		{"config.reads", "counter", "{read}", "outcome source", nil},
		{"config.writes", "counter", "{write}", "operation outcome", nil},
		{"config.payload.size", "histogram", "By", "", nil},
		{"config.limits.rejected", "counter", "{request}", "limit", nil},
		{"config.watch.watchers", "up-down counter", "{watcher}", "transport", nil},
		{"config.watch.events", "counter", "{event}", "outcome", nil},
		{"config.propagation.duration", "histogram", "s", "", nil},
		{"config.replica.staleness", "gauge", "s", "", nil},
	}
}

func TestMetricIsNotWhatTheTableOfSignalsPromises(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	exerciseAll(t, r)
	emitted := map[string][]sample{}
	for _, s := range r.samples(t) {
		emitted[s.Name] = append(emitted[s.Name], s)
	}
	for _, p := range promises() {
		series := emitted[p.name]
		delete(emitted, p.name)
		if len(series) == 0 {
			t.Errorf("%s is not emitted", p.name)
			continue
		}
		if s := series[0]; s.Kind != p.kind || s.Unit != p.unit || s.Description == "" {
			t.Errorf("%s is a %s in %q, described as %q", p.name, s.Kind, s.Unit, s.Description)
		}
		if want := bounds(t, p.unit); p.kind == "histogram" && !slices.Equal(series[0].Bounds, want) {
			t.Errorf("%s has buckets up to %v, want %v", p.name, series[0].Bounds, want)
		}
		if got := attrKeys(series); got != p.attrs {
			t.Errorf("%s has attributes %q, want %q", p.name, got, p.attrs)
		}
		if c := p.convention; c != nil && (c.Name() != p.name || c.Unit() != p.unit || c.Description() != series[0].Description) {
			t.Errorf("%s: the conventions have %s in %s: %s", p.name, c.Name(), c.Unit(), c.Description())
		}
	}
	if diff := cmp.Diff([]string(nil), slices.Sorted(maps.Keys(emitted))); diff != "" {
		t.Errorf("emitted but not promised: %s", diff)
	}
}

// bounds are the buckets that a histogram in that unit must have, whoever makes
// the instrument.
func bounds(t *testing.T, unit string) []float64 {
	t.Helper()
	options := map[string]metric.HistogramOption{"s": durationBuckets(), "By": sizeBuckets()}
	if options[unit] == nil {
		return nil
	}
	config := metric.NewFloat64HistogramConfig(options[unit])
	return config.ExplicitBucketBoundaries()
}

func attrKeys(series []sample) string {
	seen := map[string]int{}
	for _, s := range series {
		for k := range s.Attrs {
			seen[k]++
		}
	}
	var all []string
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		if seen[k] < len(series) {
			k += "?"
		}
		all = append(all, k)
	}
	return strings.Join(all, " ")
}

// exerciseAll makes every instrument of the package emit.
func exerciseAll(t *testing.T, r *rig) {
	wrap := must[func(http.Handler) http.Handler](t)(HTTP(r.Providers))
	for _, status := range []int{200, 500} {
		wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}
	for _, err := range []error{nil, errors.New("no")} {
		s := must[conf.Store](t)(Store(&fakeStore{err: err}, r.Providers, "sqlite"))
		for _, c := range storeCalls() {
			_, _ = c.call(t.Context(), s)
		}
	}
	must[*Outcomes](t)(NewOutcomes(r.Providers))
	must[*Limits](t)(NewLimits(r.Providers))
	must[*Watches](t)(NewWatches(r.Providers)).Propagated(time.Second)
	succeed(t, Staleness(r.Providers, func() time.Duration { return time.Second }))
	succeed(t, Totals(r.Providers, (&fakeStore{}).Stats))
	succeed(t, Disk(r.Providers, func() (available, capacity int64, err error) { return 1, 2, nil }))
	pools := must[*Pools](t)(NewPools(r.Providers))
	succeed(t, pools.Observe(Pool{Name: "read", Stats: func() sql.DBStats { return sql.DBStats{MaxOpenConnections: 1} }}))
	pools.Created("read", time.Second)
	pools.Acquired("read", time.Second, false)
	pools.Released("read", time.Second)
	if err := Process(r.Providers); err != nil {
		t.Fatal(err)
	}
}
