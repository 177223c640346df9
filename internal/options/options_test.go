package options

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"
)

type values struct {
	name string
	n    int
	d    time.Duration
	on   bool
}

func newSet() (*Set, *values) {
	s, v := NewSet("prog", "PROG_"), &values{}
	s.StringVar(&v.name, "some-name", "default", "the `NAME` of it")
	s.IntVar(&v.n, "n", 1, "how `many`")
	s.DurationVar(&v.d, "wait", time.Second, "how `long`")
	s.BoolVar(&v.on, "on", false, "whether")
	return s, v
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 {
			return pairs[i+1]
		}
		return ""
	}
}

func TestFlagBeatsEnvironmentBeatsDefault(t *testing.T) {
	s, v := newSet()
	rest, err := s.Parse([]string{"cmd", "--n=3", "arg", "--on"}, env("PROG_N", "2", "PROG_SOME_NAME", "env", "PROG_WAIT", ""))
	if err != nil {
		t.Fatal(err)
	}
	if want := (values{"env", 3, time.Second, true}); *v != want {
		t.Errorf("got %+v, want %+v", *v, want)
	}
	if !slices.Equal(rest, []string{"cmd", "arg"}) {
		t.Errorf("what is no option: %q", rest)
	}
}

func TestAllFaultsAreToldTogether(t *testing.T) {
	s, _ := newSet()
	_, err := s.Parse([]string{"--nn=3", "--n=x", "--=", "--wait"}, env("PROG_ON", "perhaps"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"-nn", `"x" for flag -n`, "--=", "-wait", `"perhaps" for PROG_ON`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
}

func TestFaultyEnvironmentIsIgnoredWhereAFlagIsGiven(t *testing.T) {
	s, _ := newSet()
	if _, err := s.Parse([]string{"--n=3"}, env("PROG_N", "x")); err != nil {
		t.Error(err)
	}
}

func TestHelpIsAnsweredDespiteFaults(t *testing.T) {
	s, _ := newSet()
	if _, err := s.Parse([]string{"--n=x", "--help"}, env()); !errors.Is(err, flag.ErrHelp) || err.Error() != flag.ErrHelp.Error() {
		t.Errorf("got the error %v, want only flag.ErrHelp", err)
	}
}

func TestHelpTellsEveryOption(t *testing.T) {
	s, _ := newSet()
	want := `  --n many
      how many
      PROG_N, default 1
  --on
      whether
      PROG_ON
  --some-name NAME
      the NAME of it
      PROG_SOME_NAME, default default
  --wait long
      how long
      PROG_WAIT, default 1s
`
	if got := s.Help(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
