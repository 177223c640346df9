package transfer

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

func newStore(t testing.TB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), sqlstore.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func export(t testing.TB, s *sqlstore.Store) string {
	t.Helper()
	var b bytes.Buffer
	if err := Export(t.Context(), s, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bring imports lines and returns the report.
func bring(t *testing.T, s *sqlstore.Store, dryRun bool, lines string) string {
	t.Helper()
	var report bytes.Buffer
	if err := Import(t.Context(), s, strings.NewReader(lines), dryRun, &report); err != nil {
		t.Fatal(err)
	}
	return report.String()
}

func stats(t testing.TB, s *sqlstore.Store) conf.Stats {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

const shop = `{"kind":"application","name":"shop","comments":"why"}
{"kind":"configuration","application":"shop","name":"a/b \"c\"","comments":null,"config":{"price":1.10,"big":12345678901234567890,"html":"<é>"}}
{"kind":"configuration","application":"shop","name":"main","comments":"x","config":{}}
`

func TestWhatWasExportedComesBackTheSame(t *testing.T) {
	first, second := newStore(t), newStore(t)
	report := bring(t, first, false, shop)
	want := "+ application \"shop\"\n+ configuration \"a/b \\\"c\\\"\" of application \"shop\"\n+ configuration \"main\" of application \"shop\"\n= 0 of 3 lines are in the store already\n"
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	exported := export(t, first)
	if diff := cmp.Diff(shop, exported); diff != "" {
		t.Errorf("exported (-imported +exported)\n%s", diff)
	}
	bring(t, second, false, exported)
	if diff := cmp.Diff(exported, export(t, second)); diff != "" {
		t.Errorf("(-first store +second store)\n%s", diff)
	}
}

func TestImportingAgainChangesNothing(t *testing.T) {
	s := newStore(t)
	bring(t, s, false, shop)
	before := stats(t, s)
	reordered := strings.Replace(shop, `"price":1.10,"big":12345678901234567890,`, `"big":12345678901234567890, "price":1.10, `, 1)
	if report := bring(t, s, false, reordered); report != "= 3 of 3 lines are in the store already\n" {
		t.Errorf("report\n%s", report)
	}
	if after := stats(t, s); after != before {
		t.Errorf("totals were %+v and are %+v", before, after)
	}
}

func TestDryRunTellsTheDifferenceAndChangesNothing(t *testing.T) {
	s := newStore(t)
	bring(t, s, false, shop)
	before, exported := stats(t, s), export(t, s)
	changed := `{"kind":"application","name":"shop","comments":null}
{"kind":"configuration","application":"shop","name":"main","comments":"x","config":{"n":1}}
{"kind":"application","name":"new","comments":null}
{"kind":"configuration","application":"new","name":"main","comments":null,"config":{}}
`
	want := `~ application "shop"
  - {"comments":"why"}
  + {"comments":null}
~ configuration "main" of application "shop"
  - {"comments":"x","config":{}}
  + {"comments":"x","config":{"n":1}}
+ application "new"
+ configuration "main" of application "new"
= 0 of 4 lines are in the store already
`
	report := bring(t, s, true, changed)
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got)\n%s", diff)
	}
	if after := stats(t, s); after != before || export(t, s) != exported {
		t.Errorf("the dry run changed something: totals were %+v and are %+v", before, after)
	}
	if real := bring(t, s, false, changed); real != report {
		t.Errorf("the dry run told\n%sand the import\n%s", report, real)
	}
	if after := stats(t, s); after.Revision != before.Revision+4 {
		t.Errorf("four changes took the revision from %d to %d", before.Revision, after.Revision)
	}
}

func TestFaultyLineIsNamedAndNothingIsImported(t *testing.T) {
	for _, tc := range []struct{ name, line, want string }{
		{"no JSON", `{"kind":`, "line 4: unexpected EOF"},
		{"two objects", `{"kind":"application","name":"x"}{"kind":"application","name":"y"}`, "line 4: something follows its object"},
		{"another kind", `{"kind":"token","name":"x"}`, `line 4: its kind is "token"`},
		{"an unknown field", `{"kind":"application","name":"x","id":"y"}`, `line 4: json: unknown field "id"`},
		{"an unknown application", `{"kind":"configuration","application":"none","name":"x","config":{}}`, `line 4: no application is named "none"`},
		{"no config", `{"kind":"configuration","application":"shop","name":"x"}`, "line 4: config must be a JSON object"},
		{"no name", `{"kind":"application"}`, "line 4: name must not be empty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t)
			var report bytes.Buffer
			err := Import(t.Context(), s, strings.NewReader(shop+tc.line+"\n"), false, &report)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || report.Len() > 0 {
				t.Errorf("error %v, want %q; report %q, want none", err, tc.want, &report)
			}
			if st := stats(t, s); st != (conf.Stats{}) {
				t.Errorf("something was imported: %+v", st)
			}
		})
	}
}

func TestExportIsCompleteBeyondOnePage(t *testing.T) {
	s := newStore(t)
	var lines strings.Builder
	lines.WriteString(`{"kind":"application","name":"shop","comments":null}` + "\n")
	for i := range conf.MaxLimit + 2 {
		fmt.Fprintf(&lines, `{"kind":"configuration","application":"shop","name":"c%d","comments":null,"config":{}}`+"\n", i)
	}
	bring(t, s, false, lines.String())
	if diff := cmp.Diff(lines.String(), export(t, s)); diff != "" {
		t.Errorf("(-imported +exported)\n%s", diff)
	}
}
