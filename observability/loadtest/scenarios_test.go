//go:build live

package main

import (
	"strings"
	"testing"

	"configservice/observability/internal/nativestack"
	"configservice/observability/internal/stacktest"
	"configservice/observability/loadtest/scenarios"
	"configservice/observability/loadtest/verify"
)

// Every scenario, in its short form, on one stack of the real programs, as it is.
func TestWhatTheTelemetryTellsOfAScenarioIsNotTrue(t *testing.T) {
	s := stacktest.Start(t, root(t), nativestack.Options{Env: []string{"CONFIG_SERVICE_LOG_LEVEL=WARN"}})
	shown := map[string]bool{} // panels that may be empty, by whether any scenario filled them
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			e := loadtest(t.Context(), t, s, name, "--quick")
			if e.run == nil || e.code != exitTrue && e.code != exitThreshold {
				t.Fatalf("exit code %d, want %d\n%s%s", e.code, exitTrue, e.stdout, e.stderr)
			}
			// How fast the service is depends on who else uses the machine; what
			// it answers does not, and what is told of it must not.
			for _, f := range e.run.Thresholds {
				speed := strings.HasPrefix(f.What, "p99 ") || strings.HasSuffix(f.What, " kept up with")
				if f.Verdict != verify.True && !speed {
					t.Errorf("threshold missed: %s: %s, want %s", f.What, f.Found, f.Expected)
				}
			}
			for _, p := range e.run.Evidence.Panels.All {
				key := p.Dashboard + ": " + p.Title + " (" + p.Reason + ")"
				shown[key] = shown[key] || p.Series > 0
			}
			f := e.run.Evidence.Freshness
			t.Logf("%d requests, p99 %v; in Prometheus after %v directly, %v by the Collector (p95)",
				e.run.Load.Totals.Completed, e.run.Response.P99, f.Direct.P95, f.Collector.P95)
		})
	}
	for panel, full := range shown {
		if !full {
			t.Logf("never had data: %s", panel)
		}
	}
}
