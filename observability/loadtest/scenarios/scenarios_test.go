package scenarios

import (
	"os"
	"strings"
	"testing"
)

func TestScenarioThatIsBuiltInDoesNotLoad(t *testing.T) {
	for _, name := range Names() {
		for _, quick := range []bool{false, true} {
			s, err := Load(name, quick, os.ReadFile)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if s.Name != name || len(s.Phases) == 0 || s.Thresholds.P99 == 0 {
				t.Errorf("%s, quick %v: %+v", name, quick, s)
			}
		}
	}
	if got, want := strings.Join(Names(), " "), "baseline database-stress errors mixed ramp soak spike sustained watchers"; got != want {
		t.Errorf("there are %s, want %s", got, want)
	}
}

const good = `summary: one
world: {applications: 1, configurations: 1, bytes: [400]}
mix:
  read_by_name: 1
phases:
  - {rate: 10, for: 2s}
thresholds: {errors: 0, p99: 1s}
quick:
  phases:
    - {rate: 5, to: 10, for: 1s}
`

func TestFaultInAScenarioIsNotToldWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown field", "summary: one", "summary: one\nsumary: two", "x.yaml:2:1: "},
		{"unknown operation", "read_by_name", "read_by_nmae", "x.yaml:4:3: "},
		{"share of nothing", "read_by_name: 1", "read_by_name: 0", "x.yaml:4:17: "},
		{"rate that is a word", "rate: 10,", "rate: ten,", "x.yaml:6:12: "},
		{"duration without a unit", "for: 2s", "for: 2", "x.yaml:6:21: "},
		{"duration that is none", "for: 2s", "for: soon", "x.yaml:6:21: "},
		{"missing field", "summary: one\n", "", "x.yaml:1:1: "},
		{"not YAML", "mix:", "mix: {", "x.yaml: line "},
		{"empty", good, "", "x.yaml:1:1: the file is empty"},
		{"key twice", "summary: one", "summary: one\nsummary: two", "x.yaml: unmarshal errors: line 2: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			read := func(string) ([]byte, error) { return []byte(strings.Replace(good, c.old, c.new, 1)), nil }
			_, err := Load("x.yaml", false, read)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s…", err, c.want)
			}
			t.Log(err)
		})
	}
}

func TestScenarioOfAUsersOwnDoesNotLoad(t *testing.T) {
	read := func(string) ([]byte, error) { return []byte(good), nil }
	s, err := Load("some/dir/x.yaml", true, read)
	if err != nil || s.Name != "x" || s.Phases[0].From != 5 || s.Phases[0].To != 10 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Load("nothing", false, os.ReadFile); err == nil || !strings.Contains(err.Error(), "baseline") {
		t.Errorf("an unknown name: %v, want what there is", err)
	}
}
