package gate

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/internal/dashboard"
	"configservice/observability/internal/nativestack"
	"configservice/observability/internal/prom"
	"configservice/observability/internal/stacktest"
)

var update = flag.Bool("update", false, "write catalogue.json anew from what the live stack emits")

// One stack of the real programs, under load of every kind.
func TestUnderLoadEveryPanelHasDataAndTheCatalogueIsTrue(t *testing.T) {
	stack := stacktest.Start(t, root, nativestack.Options{})
	startLoad(t, stack)
	t.Run("every panel has data", func(t *testing.T) { everyPanelHasData(t, stack) })
	t.Run("the catalogue is what the stack emits", func(t *testing.T) { catalogueIsTrue(t, stack) })
}

// everyPanelHasData waits until every query of every panel and variable has a value. The budget of
// 30 days takes longest: a group of rules that is evaluated once a minute.
func everyPanelHasData(t *testing.T, stack *nativestack.Stack) {
	started := time.Now()
	empty := map[string]dashboard.Query{}
	queries := 0
	for _, board := range boards(t) {
		for _, q := range board.Queries(nil) {
			if q.RefID != "annotation" { // a mark is there when there is something to mark
				empty[fmt.Sprintf("%s: %s: %s", q.Dashboard, q.Panel, q.RefID)] = q
				queries++
			}
		}
	}
	deadline := started.Add(150 * time.Second)
	testwait.UntilWithin(t, "every panel was looked at", 200*time.Second, func() bool {
		wanted := 0
		for name, q := range empty {
			if hasData(t, stack.Prometheus(), q.Expr) {
				delete(empty, name)
			} else if excuse(q) == "" {
				wanted++
			}
		}
		return wanted == 0 || time.Now().After(deadline)
	})
	excused := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(empty)) {
		if reason := excuse(empty[name]); reason != "" {
			excused[reason]++
		} else {
			t.Errorf("%s has no data under load\n\t%s", name, empty[name].Expr)
		}
	}
	t.Logf("%d of %d queries have data after %.0f s", queries-len(empty), queries, time.Since(started).Seconds())
	for _, reason := range slices.Sorted(maps.Keys(excused)) {
		t.Logf("%d without, since they need %s", excused[reason], reason)
	}
}

// excuse is why a query may have no data here. A variable has no place in its file for a reason.
func excuse(q dashboard.Query) string {
	if q.RefID == "variable" && strings.HasPrefix(q.Expr, "loadtest_") {
		return "a running load test: make load-test"
	}
	return q.Needs()
}

func hasData(t *testing.T, prometheus prom.Client, expr string) bool {
	t.Helper()
	samples, err := prometheus.Query(t.Context(), expr)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(samples, func(s prom.Sample) bool { return !math.IsNaN(s.Value) })
}

// catalogueIsTrue compares both ways what the service emits, and of the others what is asked for.
func catalogueIsTrue(t *testing.T, stack *nativestack.Stack) {
	testwait.UntilWithin(t, "both paths brought the service's answers of 503", time.Minute, func() bool {
		return hasData(t, stack.Prometheus(), `count(http_server_request_duration_seconds_count{error_type!=""}) > 1`)
	})
	everything, err := Observe(t.Context(), stack.Prometheus(), func(_, _ string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	checker := NewChecker(stack.Prometheus(), everything.With(Rare()), rules(t))
	for _, question := range questions(t) {
		checker.Check(t.Context(), question) // what is wrong with it is another test's affair
	}
	there, err := Observe(t.Context(), stack.Prometheus(), func(name, job string) bool {
		return job == "config-service" || checker.Asked(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := WriteCatalogue("catalogue.json", there); err != nil {
			t.Fatal(err)
		}
		t.Logf("wrote catalogue.json: %d metrics", len(there))
		return
	}
	for _, fault := range Compare(catalogue(t), there, Rare()) {
		t.Error(fault)
	}
	t.Logf("%d metrics are as in the catalogue", len(there))
}
