package supervise

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// table is what people need to know once everything is up.
func (s *Supervisor) table() string {
	var text strings.Builder
	text.WriteString("\n")
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "  PROGRAM\tPID\tURL\tLOG FILE")
	for _, l := range s.lives {
		fmt.Fprintf(w, "  %s\t%d\t%s\t%s\n", l.Name, l.pid.Load(), l.url(), s.logPath(l.Program))
	}
	_ = w.Flush() // into memory
	fmt.Fprintf(&text, "\n  %s\n\n", s.HowTo)
	return text.String()
}
