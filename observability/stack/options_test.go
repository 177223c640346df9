package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagWinsOverEnvironmentOverDefault(t *testing.T) {
	env := map[string]string{"STACK_PORT_OFFSET": "100", "STACK_DATA": "/from/env", "STACK_BIN": ""}
	got, err := parseOptions([]string{"--data", "/from/flag", "-config=c"}, func(name string) string { return env[name] })
	want := options{offset: 100, data: "/from/flag", bin: "bin", config: "c"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAllFaultsOfTheOptionsAreToldTogetherWithExitCode2(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		want []string
	}{
		"everything at once": {
			[]string{"--colour", "--port-offset", "many", "stop", "-=", "--data="},
			map[string]string{"STACK_BIN": " ", "CONFIG_SERVICE_LISTEN": ":9999"},
			[]string{
				"flag provided but not defined: -colour", `unexpected argument "stop"`, "bad flag syntax: -=",
				`--port-offset: "many" is not a whole number from 0 to 52402`, "--data: it is empty",
				"STACK_BIN: it is empty", `CONFIG_SERVICE_LISTEN: ":9999" is not an address with port 8000`,
			},
		},
		"no value":       {[]string{"--data"}, nil, []string{"flag needs an argument: -data"}},
		"negative":       {[]string{"--port-offset=-1"}, nil, []string{`--port-offset: "-1" is not`}},
		"beyond 65535":   {nil, map[string]string{"STACK_PORT_OFFSET": "52403"}, []string{`STACK_PORT_OFFSET: "52403" is not`}},
		"no port at all": {nil, map[string]string{"CONFIG_SERVICE_LISTEN": "localhost"}, []string{"CONFIG_SERVICE_LISTEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), test.args, func(name string) string { return test.env[name] }, &stdout, &stderr)
			if code != 2 || stdout.Len() > 0 {
				t.Errorf("exit code %d, want 2; stdout %q, want nothing", code, stdout.String())
			}
			for _, want := range append(test.want, "stack --help tells all options") {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("%q is missing in:\n%s", want, stderr.String())
				}
			}
			if got, want := strings.Count(stderr.String(), "\n"), len(test.want)+1; got != want {
				t.Errorf("%d lines, want %d:\n%s", got, want, stderr.String())
			}
		})
	}
}

func TestTheServiceMayListenForOthersOnThePortOfTheStack(t *testing.T) {
	env := map[string]string{"CONFIG_SERVICE_LISTEN": "0.0.0.0:8100"}
	if _, err := parseOptions([]string{"--port-offset=100"}, func(name string) string { return env[name] }); err != nil {
		t.Error(err)
	}
}

func TestHelpTellsEveryOptionWithItsVariableAndDefault(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"--no-such-flag", "--help"}, func(string) string { return "" }, &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d, want 0; stderr %s", code, stderr.String())
	}
	for _, row := range optionTable() {
		for _, part := range []string{"--" + row.flag, row.env, "default " + row.fallback} {
			if !strings.Contains(stdout.String(), part) {
				t.Errorf("%q is missing in:\n%s", part, stdout.String())
			}
		}
	}
}

func TestColoursNeedATerminalAndItsUsersConsent(t *testing.T) {
	if colourful(&bytes.Buffer{}, func(string) string { return "" }) {
		t.Error("colours in what is no terminal")
	}
}
