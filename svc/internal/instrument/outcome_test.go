package instrument

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func TestCounterOfOutcomesIsMissingUntilTheFirstEvent(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	outcomes := must[*Outcomes](t)(NewOutcomes(r.Providers))
	want := map[string]float64{}
	for _, operation := range []string{"create", "update", "rollback", "delete"} {
		for _, outcome := range []string{"ok", "conflict", "invalid", "error"} {
			want["config.writes{operation="+operation+",outcome="+outcome+"}"] = 0
		}
	}
	for _, source := range []string{"cache", "store"} {
		for _, outcome := range []string{"hit", "not_modified", "not_found"} {
			want["config.reads{outcome="+outcome+",source="+source+"}"] = 0
		}
	}
	if diff := cmp.Diff(want, r.values(t, "config.")); diff != "" {
		t.Error(diff)
	}
	outcomes.Read(t.Context(), "cache", "not_modified")
	outcomes.Read(t.Context(), "elsewhere", "hit")
	outcomes.Write(t.Context(), "create", "conflict")
	outcomes.Write(t.Context(), "create", "lost")
	counted := map[string]float64{
		"config.reads{outcome=not_modified,source=cache}":  1,
		"config.writes{operation=create,outcome=conflict}": 1,
	}
	if diff := cmp.Diff(counted, r.counts(t, "config.")); diff != "" {
		t.Error(diff)
	}
}
