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
				`"many" for flag -port-offset`, "--data is empty", "--bin is empty", `CONFIG_SERVICE_LISTEN: ":9999" is not an address with port 8000`,
			},
		},
		"no value":       {[]string{"--data"}, nil, []string{"flag needs an argument: -data"}},
		"negative":       {[]string{"--port-offset=-1"}, nil, []string{`--port-offset is -1`}},
		"beyond 65535":   {nil, map[string]string{"STACK_PORT_OFFSET": "52403"}, []string{`--port-offset is 52403; it must be from 0 to 52402`}},
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

func TestHelpTellsEveryOption(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), []string{"--help"}, func(string) string { return "" }, &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, &stderr)
	}
	for _, want := range []string{"--port-offset number", "STACK_PORT_OFFSET, default 0", "STACK_DATA, default data", "STACK_BIN, default bin", "STACK_CONFIG, default observability"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help does not tell %q:\n%s", want, &stdout)
		}
	}
}

func TestColoursNeedATerminalAndItsUsersConsent(t *testing.T) {
	if colourful(&bytes.Buffer{}, func(string) string { return "" }) {
		t.Error("colours in what is no terminal")
	}
}
