package instrument

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestLimitIsMissingUntilItsFirstRejection(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	limits := must[*Limits](t)(NewLimits(r.Providers))
	want := map[string]float64{}
	for _, limit := range []string{"body", "concurrency", "watchers", "write_rate"} {
		want["config.limits.rejected{limit="+limit+"}"] = 0
	}
	if diff := cmp.Diff(want, r.values(t, "config.")); diff != "" {
		t.Error(diff)
	}
	limits.Rejected(t.Context(), "watchers")
	limits.Rejected(t.Context(), "patience")
	counted := map[string]float64{"config.limits.rejected{limit=watchers}": 1}
	if diff := cmp.Diff(counted, r.counts(t, "config.")); diff != "" {
		t.Error(diff)
	}
}
