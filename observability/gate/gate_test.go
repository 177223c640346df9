package gate

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"configservice/internal/testwait"
	"configservice/observability/internal/dashboard"
	"configservice/observability/internal/prom"
)

const root = "../.."

func boards(t *testing.T) []dashboard.Dashboard {
	t.Helper()
	boards, err := dashboard.Load("../grafana/provisioning/dashboards")
	if err != nil {
		t.Fatal(err)
	}
	return boards
}

func rules(t *testing.T) []Rule {
	t.Helper()
	rules, err := ReadRules("../rules")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func runbooks() fs.FS { return os.DirFS(filepath.Join(root, "docs", "runbooks")) }

func catalogue(t *testing.T) Catalogue {
	t.Helper()
	catalogue, err := ReadCatalogue("catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// questions are all that is asked anywhere.
func questions(t *testing.T) []Question {
	t.Helper()
	all := Questions(rules(t))
	for _, board := range boards(t) {
		all = append(all, BoardQuestions(board)...)
	}
	return all
}

func TestEveryDashboardIsWhole(t *testing.T) {
	for _, board := range boards(t) {
		for _, fault := range Lint(board, runbooks()) {
			t.Error(fault)
		}
	}
	for _, alert := range Unlinked(boards(t), rules(t)) {
		t.Errorf("no panel links to the runbook of %s", alert)
	}
}

func TestEveryQueryCanBeAnswered(t *testing.T) {
	checker := NewChecker(parser(t), catalogue(t).With(Rare()), rules(t))
	asked := questions(t)
	for _, question := range asked {
		for _, fault := range checker.Check(t.Context(), question) {
			t.Error(fault)
		}
	}
	t.Logf("%d queries, each parsed by Prometheus and held against the catalogue", len(asked))
	for name := range Rare() {
		if !checker.Asked(name) {
			t.Errorf("%s stands in Rare, and nothing asks for it", name)
		}
	}
}

// parser is a Prometheus that does nothing else than parse.
func parser(t *testing.T) prom.Client {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(root, "bin", "prometheus"))
	if err != nil {
		t.Fatal(err)
	}
	testwait.Built(t, program)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	cmd := exec.Command(program, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "tsdb"), "--web.listen-address", address)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("%s", said.String())
		}
	})
	client := prom.Client{URL: "http://" + address}
	testwait.Until(t, "Prometheus is ready", func() bool { return answers(t.Context(), client.URL+"/-/ready") })
	return client
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return fmt.Sprint(listener.Addr())
}
