package instrument

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestDiskIsNotThatOfTheMomentOrItsFailureStopsTheRest(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	must[*Outcomes](t)(NewOutcomes(r.Providers))
	var left int64
	var broken, reported error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = err }))
	succeed(t, Disk(r.Providers, func() (int64, int64, error) { return left, 100, broken }))
	for _, left = range []int64{60, 0} {
		want := map[string]float64{"config.store.disk.available{}": float64(left), "config.store.disk.capacity{}": 100}
		if diff := cmp.Diff(want, r.values(t, "config.store.disk.")); diff != "" {
			t.Error(diff)
		}
	}
	broken = errors.New("stale file handle")
	if got := r.values(t, "config.store.disk."); len(got) != 0 || !errors.Is(reported, broken) {
		t.Errorf("a disk that cannot be read shows %v, reported as %v", got, reported)
	}
	if n := len(r.values(t, "config.reads")); n != 6 {
		t.Errorf("%d other series, want 6", n)
	}
}

func TestStoreWithoutADiskShowsOne(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	succeed(t, Disk(r.Providers, nil))
	if got := r.values(t, "config."); len(got) != 0 {
		t.Errorf("there is no disk, but %v", got)
	}
}
