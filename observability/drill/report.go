package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// report prints a line for each alert and returns whether all went as it should. What cannot be
// provoked on this machine is no failure, unless strict.
func report(w io.Writer, outcomes []*outcome, strict bool) bool {
	good := true
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nALERT\tTROUBLE\tMODEL\tFIRED AFTER\tCLEARED AFTER\t\n")
	for _, o := range outcomes {
		verdict := o.verdict()
		if verdict != "" && (strict || !errors.Is(o.skipped, errNotHere)) {
			good = false
		}
		fmt.Fprintf(table, "%s\t%s\t%.0f s\t%s\t%s\t%s\n", o.alert, o.trouble, o.model.Seconds(), seconds(o.fired), seconds(o.cleared), verdict)
	}
	_ = table.Flush() // a reader that has gone is not told
	return good
}

// verdict is what is wrong, if anything.
func (o *outcome) verdict() string {
	switch {
	case errors.Is(o.skipped, errNotHere):
		return o.skipped.Error()
	case o.skipped != nil:
		return "NOT PROVOKED: " + o.skipped.Error()
	case o.fired == 0:
		return fmt.Sprintf("DID NOT FIRE within its model + %.0f s", allowance.Seconds())
	case o.fired > o.model+allowance:
		return fmt.Sprintf("FIRED LATE, after its model + %.0f s", allowance.Seconds())
	case o.cleared == 0:
		return fmt.Sprintf("DID NOT CLEAR within %.0f min", longestClear.Minutes())
	}
	return ""
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// list says what is drilled and what is not.
func list(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, scene := range scenes() {
		for _, e := range scene.alerts {
			fmt.Fprintf(table, "%s\tdrilled:\t%s\n", e.alert, scene.trouble)
		}
	}
	reasons := notDrilled()
	for _, alert := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(table, "%s\tnot drilled:\t%s\n", alert, reasons[alert])
	}
	_ = table.Flush() // a reader that has gone is not told
}
