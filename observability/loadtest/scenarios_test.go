//go:build live

package main

import (
	"testing"

	"configservice/observability/internal/nativestack"
	"configservice/observability/loadtest/scenarios"
)

// Every scenario, in its short form, on one stack of the real programs, as it is.
func TestWhatTheTelemetryTellsOfAScenarioIsNotTrue(t *testing.T) {
	s := startStack(t, nativestack.Options{Env: []string{"CONFIG_SERVICE_LOG_LEVEL=WARN"}})
	shown := map[string]bool{} // panels that may be empty, by whether any scenario filled them
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			e := loadtest(t.Context(), t, s, name, "--quick")
			if e.code != exitTrue {
				t.Errorf("exit code %d, want %d\n%s%s", e.code, exitTrue, e.stdout, e.stderr)
			}
			if e.run == nil {
				return
			}
			for _, p := range e.run.Evidence.Panels.All {
				key := p.Dashboard + ": " + p.Title + " (" + p.Reason + ")"
				shown[key] = shown[key] || p.Series > 0
			}
			t.Logf("%d requests, in Prometheus after %v (p95)", e.run.Load.Totals.Completed, e.run.Evidence.Freshness.Took.P95)
		})
	}
	for panel, full := range shown {
		if !full {
			t.Logf("never had data: %s", panel)
		}
	}
}
