// Package options takes a program's options from its flags, its environment
// variables and their defaults, in this order, and reports all faults at once.
package options

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// A Set is a program's options. Define them on the FlagSet as always; each also
// has an environment variable: the prefix and the flag's name in capitals, with
// underscores for hyphens.
type Set struct {
	*flag.FlagSet
	prefix string
}

// NewSet returns an empty set for the named program.
func NewSet(program, envPrefix string) *Set {
	fs := flag.NewFlagSet(program, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // faults are returned, not printed one by one
	fs.Usage = func() {}
	return &Set{fs, envPrefix}
}

// Env returns the name of the environment variable of a flag.
func (s *Set) Env(flagName string) string {
	return s.prefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// Parse sets the options and returns the arguments that are none, wherever they
// stand. Every fault is in the one error that it returns; that error is
// [flag.ErrHelp], and nothing else, when help is asked for.
func (s *Set) Parse(args []string, getenv func(string) string) (rest []string, err error) {
	rest, faults := s.parseFlags(args)
	for _, err := range faults {
		if errors.Is(err, flag.ErrHelp) {
			return nil, flag.ErrHelp
		}
	}
	return rest, errors.Join(append(faults, s.parseEnv(getenv)...)...)
}

// parseFlags goes on after a fault.
func (s *Set) parseFlags(args []string) (rest []string, faults []error) {
	for len(args) > 0 {
		err := s.FlagSet.Parse(args)
		left := s.Args()
		switch {
		case err != nil && len(left) == len(args): // Parse stays at what is no flag at all, like "-="
			faults, left = append(faults, err), left[1:]
		case err != nil:
			faults = append(faults, err)
		case len(left) > 0:
			rest, left = append(rest, left[0]), left[1:]
		}
		args = left
	}
	return rest, faults
}

// parseEnv sets the flags that the arguments left alone.
func (s *Set) parseEnv(getenv func(string) string) (faults []error) {
	given := map[string]bool{}
	s.Visit(func(f *flag.Flag) { given[f.Name] = true })
	s.VisitAll(func(f *flag.Flag) {
		value := getenv(s.Env(f.Name))
		if value == "" || given[f.Name] {
			return
		}
		if err := s.FlagSet.Set(f.Name, value); err != nil {
			faults = append(faults, fmt.Errorf("invalid value %q for %s: %w", value, s.Env(f.Name), err))
		}
	})
	return faults
}

// Help tells each option with its environment variable and its default.
func (s *Set) Help() string {
	var b strings.Builder
	s.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "  %s\n      %s\n      %s", strings.TrimSpace("--"+f.Name+" "+value), usage, s.Env(f.Name))
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(&b, ", default %s", f.DefValue)
		}
		b.WriteByte('\n')
	})
	return b.String()
}
