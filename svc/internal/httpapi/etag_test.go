package httpapi

import (
	"strings"
	"testing"
)

// A list of tags is whatever a client sends: reading it must end, find what
// is there, and nothing that is not.
func FuzzETagList(f *testing.F) {
	for _, seed := range []string{``, `*`, `"7"`, `W/"7"`, `"x", "7"`, `"a,b" , "7"`, `"a, "7`, `,,,`, `"`, `W/`, `"*"`, `"7",`, "\t\"7\" ", `"7""7"`, `W/*`, "\xff,\"7\""} {
		f.Add(seed, `"x"`)
	}
	const tag = `"7"`
	f.Fuzz(func(t *testing.T, one, two string) {
		strongly, weakly := listed([]string{one}, tag, false), listed([]string{one}, tag, true)
		if strongly && !weakly {
			t.Errorf("%q has %s strongly but not weakly", one, tag)
		}
		if weakly && !strings.Contains(one, tag) && !strings.Contains(one, "*") {
			t.Errorf("%q does not have %s", one, tag)
		}
		other := listed([]string{two}, tag, false)
		if got := listed([]string{one, two}, tag, false); got != (strongly || other) {
			t.Errorf("%q and %q have %s: %t, each alone: %t, %t", one, two, tag, got, strongly, other)
		}
		if strings.Count(one, `"`)%2 == 0 && !listed([]string{one + "," + tag}, tag, false) {
			t.Errorf("%s is not found behind %q", tag, one)
		}
	})
}
