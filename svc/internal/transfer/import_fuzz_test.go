package transfer

import (
	"io"
	"strings"
	"testing"

	"configservice/svc/internal/conf"
)

// Whatever a file holds, an import names the line at fault, a dry run changes
// nothing, and what was imported and exported is what is there.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{shop, shop + shop, "", "\n", `{"kind":"application","name":"\u0000","comments":null}`,
		`{"kind":"application","name":"a"}` + "\r\n" + `{"kind":"configuration","application":"a","name":"b","config":{"":[1e400,{"a":{}}]}}`,
		`{"kind":"application","name":"a"}{"kind":"application","name":"b"}`, `{"kind":"configuration","application":"none","name":"x","config":[]}`,
	} {
		f.Add(seed)
	}
	s := newStore(f)
	f.Fuzz(func(t *testing.T, lines string) {
		before := stats(t, s)
		dry := Import(t.Context(), s, strings.NewReader(lines), true, io.Discard)
		if after := stats(t, s); after != before {
			t.Errorf("a dry run made %+v of %+v", after, before)
		}
		err := Import(t.Context(), s, strings.NewReader(lines), false, io.Discard)
		if (err == nil) != (dry == nil) || err != nil && (!strings.HasPrefix(err.Error(), "line ") || stats(t, s) != before) {
			t.Fatalf("the import ended with %v, the dry run with %v", err, dry)
		}
		if before = stats(t, s); before.Applications == 0 {
			return
		}
		if err := Import(t.Context(), s, strings.NewReader(export(t, s)), false, io.Discard); err != nil || stats(t, s) != before {
			t.Errorf("what was exported of %+v makes %+v of it (%v)", before, stats(t, s), err)
		}
		clean(t, s)
	})
}

func clean(t *testing.T, s conf.Store) {
	t.Helper()
	page, err := s.Applications(t.Context(), conf.ApplicationQuery{Window: conf.Window{Limit: conf.MaxLimit}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range page.Items {
		if _, err := s.DeleteApplication(t.Context(), a.ID, func(*conf.Application) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}
