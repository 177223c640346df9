package main

import (
	"context"
	"net"
	"strings"
	"testing"
)

func none(string) string { return "" }

func TestATakenPortIsNamedWithTheRemedy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var out, faults strings.Builder
	code := run(t.Context(), arguments(taken.Addr().String()), none, &out, &faults)
	if code != 1 || !strings.Contains(faults.String(), "address already in use; --listen chooses another") {
		t.Errorf("exit code %d: %s", code, faults.String())
	}
}

func TestAStopIsClean(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, faults strings.Builder
	if code := run(ctx, arguments("127.0.0.1:0"), none, &out, &faults); code != 0 || !strings.Contains(out.String(), "dashboards on http://127.0.0.1:") {
		t.Errorf("exit code %d: %s%s", code, out.String(), faults.String())
	}
}

func TestHelpTellsTheOptions(t *testing.T) {
	var out, faults strings.Builder
	if code := run(t.Context(), []string{"--help"}, none, &out, &faults); code != 0 || !strings.Contains(out.String(), "VIEWER_PROMETHEUS") {
		t.Errorf("exit code %d: %s%s", code, out.String(), faults.String())
	}
}

func arguments(listen string) []string {
	return []string{"--listen", listen, "--provisioning", "testdata/provisioning", "--runbooks", "../../docs/runbooks"}
}
