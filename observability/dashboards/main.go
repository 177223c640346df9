// Command dashboards writes the Grafana dashboards of this project from the tables in its
// source. The files are plain Grafana dashboards; a test holds them to the tables.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"configservice/observability/internal/dashboard"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `usage: dashboards [DIRECTORY]

Writes every dashboard into the directory, by default
observability/grafana/provisioning/dashboards. Start it in the root of the project.

Exit codes: 0 written, 2 faulty arguments, 1 everything else.
`

// run returns the exit code: 0 when all are written or for --help, 2 when the arguments are at
// fault, 1 for everything else.
func run(args []string, stdout, stderr io.Writer) int {
	dir := "observability/grafana/provisioning/dashboards"
	switch {
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		fmt.Fprint(stdout, usage)
		return 0
	case len(args) > 1 || len(args) == 1 && (args[0] == "" || args[0][0] == '-'):
		fmt.Fprintf(stderr, "dashboards: unexpected arguments %q\n%s", args, usage)
		return 2
	case len(args) == 1:
		dir = args[0]
	}
	for _, board := range boards() {
		if err := write(dir, board); err != nil {
			fmt.Fprintf(stderr, "dashboards: %v\n", err)
			return 1
		}
	}
	return 0
}

func write(dir string, board dashboard.Dashboard) error {
	text, err := dashboard.Format(board)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, board.UID+".json"), text, 0o644)
}

// boards are all dashboards.
func boards() []dashboard.Dashboard {
	return []dashboard.Dashboard{service(), containers(), pipeline(), objectives(), loadTest()}
}
