package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/scenarios"
)

func list(_ context.Context, call invocation) (int, error) {
	w := tabwriter.NewWriter(call.stdout, 0, 0, 2, ' ', 0)
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name, call.quick, os.ReadFile)
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(w, "%s\t%v\t%s\n", name, load.NewSchedule(s.Phases).Length(), s.Summary)
	}
	return exitTrue, w.Flush()
}
