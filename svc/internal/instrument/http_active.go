package instrument

import (
	"context"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
)

// active counts the requests that are being answered, by method and scheme.
type active struct {
	methods map[string]*[2]activeTally // https is the second
}

// An activeTally is not shown before the first request of its kind.
type activeTally struct {
	tally
	used atomic.Bool
}

func newActive(m metric.Meter) (*active, error) {
	a := &active{methods: map[string]*[2]activeTally{}}
	for _, method := range []string{
		http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead,
		http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut,
		http.MethodTrace, otherMethod,
	} {
		var both [2]activeTally
		for i, https := range []bool{false, true} {
			both[i].series = newTally(semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(scheme(https))).series
		}
		a.methods[method] = &both
	}
	convention := httpconv.ServerActiveRequests{}
	_, err := m.Int64ObservableUpDownCounter(convention.Name(), metric.WithUnit(convention.Unit()),
		metric.WithDescription(convention.Description()), metric.WithInt64Callback(a.observe))
	return a, err
}

// tally returns the number of requests of a known method, or of otherMethod.
func (a *active) tally(method string, https bool) *activeTally {
	i := 0
	if https {
		i = 1
	}
	t := &a.methods[method][i]
	if !t.used.Load() {
		t.used.Store(true)
	}
	return t
}

func (a *active) observe(_ context.Context, o metric.Int64Observer) error {
	for _, both := range a.methods {
		for i := range both {
			if t := &both[i]; t.used.Load() {
				o.Observe(t.Load(), t.series)
			}
		}
	}
	return nil
}
