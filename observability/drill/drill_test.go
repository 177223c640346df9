package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/observability/gate"
)

func TestEveryAlertIsDrilledOrSaysWhyNot(t *testing.T) {
	waits, err := ruleWaits("../..")
	if err != nil {
		t.Fatal(err)
	}
	told := notDrilled()
	for _, scene := range scenes() {
		for _, e := range scene.alerts {
			if _, twice := told[e.alert]; twice {
				t.Errorf("%s is drilled twice, or said not to be", e.alert)
			}
			told[e.alert] = scene.trouble
			if (e.besides > 0) != (e.why != "") {
				t.Errorf("%s: besides is %v, because %q", e.alert, e.besides, e.why)
			}
			if wait := waits[e.alert]; wait > 5*time.Minute {
				t.Errorf("%s waits %v, which is too long for a drill", e.alert, wait)
			}
		}
	}
	for alert := range waits {
		if told[alert] == "" {
			t.Errorf("%s is neither drilled, nor does it say why not", alert)
		}
	}
	for alert := range told {
		if _, ok := waits[alert]; !ok {
			t.Errorf("%s is told of, and there is no such alert", alert)
		}
	}
}

// The short form of `make drill`: real programs, one alert.
func TestAnAlertFiresInTimeAndClears(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute; not with -short")
	}
	for _, name := range []string{"stack", "config-service", "otelcol", "cadvisor", "prometheus", "viewer"} {
		testwait.Built(t, filepath.Join("../..", "bin", name))
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"--root", "../..", "--only", "ServiceDown"}, os.Getenv, &stdout, &stderr)
	t.Logf("%s%s", stdout.String(), stderr.String())
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheReportFailsWhenAnAlertFails(t *testing.T) {
	good := outcome{alert: "A", model: 30 * time.Second, fired: 40 * time.Second, cleared: time.Second}
	late, silent, stuck, skipped, failed := good, good, good, good, good
	late.fired = 61 * time.Second
	silent.fired, silent.cleared = 0, 0
	stuck.cleared = 0
	skipped.skipped = errNotHere
	failed.skipped = errors.New("it did not work")
	for _, c := range []struct {
		name    string
		outcome outcome
		strict  bool
		good    bool
		text    string
	}{
		{"good", good, true, true, "40 s"},
		{"late", late, false, false, "FIRED LATE"},
		{"silent", silent, false, false, "DID NOT FIRE"},
		{"stuck", stuck, false, false, "DID NOT CLEAR"},
		{"skipped", skipped, false, true, errNotHere.Error()},
		{"not provoked", failed, false, false, "NOT PROVOKED: it did not work"},
		{"skipped in CI", skipped, true, false, errNotHere.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if got := report(&out, []*outcome{&good, &c.outcome}, c.strict); got != c.good || !strings.Contains(out.String(), c.text) {
				t.Errorf("good is %t, want %t, and %q in:\n%s", got, c.good, c.text, out.String())
			}
		})
	}
}

func TestFaultyOptionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no such alert", []string{"--only", "ServiceAway"}, 2, `no scene is about the alert "ServiceAway"`},
		{"an alert that is not drilled", []string{"--only", "ServiceDown,CPUThrottled"}, 2, `"CPUThrottled"`},
		{"no such option", []string{"--fast"}, 2, "fast"},
		{"an argument", []string{"ServiceDown"}, 2, "unexpected arguments"},
		{"no project there", []string{"--root", t.TempDir()}, 1, "no rules"},
		{"help", []string{"--help"}, 0, "usage: drill"},
		{"list", []string{"--list"}, 0, "not drilled:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), c.args, func(string) string { return "" }, &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("exit code %d, want %d, and %q in:\n%s", code, c.code, c.want, out.String())
			}
		})
	}
}

func TestAnAlertWithSeveralRulesWaitsForTheShortest(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "observability", "rules")
	text := "groups: [{name: g, rules: [{alert: A, expr: a, for: 2m}, {alert: A, expr: b, for: 30s}, {alert: B, expr: c}]}]\n"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "a.yml"), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	waits, err := ruleWaits(root)
	if err != nil || waits["A"] != 30*time.Second || waits["B"] != 0 {
		t.Errorf("%v, %v", waits, err)
	}
	if _, err := gate.ReadRules(root); err == nil {
		t.Error("a directory without rules is taken for one")
	}
}
