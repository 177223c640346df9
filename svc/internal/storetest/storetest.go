// Package storetest is the conformance suite that every [conf.Store] passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
)

// Run holds the stores that open returns, each new and empty, to the contract
// of [conf.Store].
func Run(t *testing.T, open func(*testing.T) conf.Store) {
	tests := resourceTests()
	maps.Copy(tests, historyTests())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &suite{open(t)})
		})
	}
}

func resourceTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"a created application reads back as returned":             testCreateApplication,
		"a taken application name is refused":                      testApplicationNameTaken,
		"an application's name and comments can change":            testUpdateApplication,
		"a refused edit changes nothing and uses no revision":      testRefusedEdit,
		"a deleted application takes its configurations along":     testDeleteApplication,
		"applications are listed in order of creation":             testListApplications,
		"a created configuration reads back as returned":           testCreateConfiguration,
		"a configuration needs an application":                     testUnknownApplication,
		"a taken configuration name is refused":                    testConfigurationNameTaken,
		"two applications may use one configuration name":          testSameNameElsewhere,
		"an update makes the next version":                         testUpdateConfiguration,
		"an edit cannot change what is not its own":                testEditIdentity,
		"a name freed by a delete or a rename can be taken":        testNameFreed,
		"configurations are listed in order of creation":           testListConfigurations,
		"what does not exist is not found":                         testNotFound,
		"what breaks a rule is refused, with every field named":    testInvalid,
		"an application's revision follows its configurations":     testApplicationRevision,
		"compare-and-set: one of many concurrent writers wins":     testCompareAndSet,
		"concurrent writes get distinct revisions without gaps":    testConcurrentRevisions,
		"numbers, Unicode and odd names come back as they went in": testExactText,
		"what no database can hold is refused and never found":     testNoText,
		"a list is of one moment while others write":               testOneMoment,
		"a call whose context is over ends unavailable":            testContext,
	}
}

// suite is a store with helpers that end the test when they fail.
type suite struct{ conf.Store }

func (s *suite) application(t *testing.T, name string) conf.Application {
	t.Helper()
	a, err := s.CreateApplication(t.Context(), conf.Application{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *suite) configuration(t *testing.T, applicationID, name, config string) conf.Configuration {
	t.Helper()
	c, err := s.CreateConfiguration(t.Context(), conf.Configuration{
		ApplicationID: applicationID, Name: name, Config: []byte(config)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *suite) stats(t *testing.T) conf.Stats {
	t.Helper()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func wantCode(t *testing.T, err error, want conf.Code) {
	t.Helper()
	if got := conf.CodeOf(err); got != want {
		t.Errorf("error %v has the code %q, want %q", err, got, want)
	}
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func agree[T any](*T) error { return nil }

func testCreateApplication(t *testing.T, s *suite) {
	before := time.Now().Add(-time.Millisecond)
	comments := "why"
	a, err := s.CreateApplication(t.Context(), conf.Application{Name: "shop", Comments: &comments})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.ID) != 26 || a.Revision != 1 || a.CreatedAt.Before(before) || !a.CreatedAt.Equal(a.UpdatedAt) || a.CreatedAt.Location() != time.UTC {
		t.Errorf("created %+v", a)
	}
	got, err := s.Application(t.Context(), a.ID)
	wantCode(t, err, "")
	wantEqual(t, got, a)
	wantEqual(t, got.ConfigurationIDs, []string{})
	wantEqual(t, s.stats(t), conf.Stats{Revision: 1, Applications: 1})
}

func testApplicationNameTaken(t *testing.T, s *suite) {
	s.application(t, "shop")
	other := s.application(t, "other")
	before := s.stats(t)
	_, err := s.CreateApplication(t.Context(), conf.Application{Name: "shop"})
	wantCode(t, err, conf.Exists)
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		t.Errorf("the error %q does not say: already exists", err)
	}
	_, err = s.UpdateApplication(t.Context(), other.ID, func(a *conf.Application) error { a.Name = "shop"; return nil })
	wantCode(t, err, conf.Exists)
	wantEqual(t, s.stats(t), before)
}

func testUpdateApplication(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	comments := "renamed"
	got, err := s.UpdateApplication(t.Context(), a.ID, func(a *conf.Application) error {
		a.Name, a.Comments = "store", &comments
		return nil
	})
	wantCode(t, err, "")
	if got.Name != "store" || *got.Comments != comments || got.Revision != 2 || got.UpdatedAt.Before(a.UpdatedAt) || !got.CreatedAt.Equal(a.CreatedAt) {
		t.Errorf("updated to %+v", got)
	}
	read, err := s.Application(t.Context(), a.ID)
	wantCode(t, err, "")
	wantEqual(t, read, got)
}

func testRefusedEdit(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"a":1}`)
	a, _ = s.Application(t.Context(), a.ID)
	before := s.stats(t)
	refusal := conf.Errorf(conf.PreconditionFailed, "no")

	_, err := s.UpdateApplication(t.Context(), a.ID, func(a *conf.Application) error { a.Name = "x"; return refusal })
	wantSame(t, err, refusal)
	_, err = s.DeleteApplication(t.Context(), a.ID, func(*conf.Application) error { return refusal })
	wantSame(t, err, refusal)
	_, err = s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error { c.Name = "x"; return refusal })
	wantSame(t, err, refusal)
	_, err = s.DeleteConfiguration(t.Context(), c.ID, func(*conf.Configuration) error { return refusal })
	wantSame(t, err, refusal)

	gotA, _ := s.Application(t.Context(), a.ID)
	wantEqual(t, gotA, a)
	gotC, _ := s.Configuration(t.Context(), c.ID)
	wantEqual(t, gotC, c)
	wantEqual(t, s.stats(t), before)
}

func wantSame(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got the error %v, want %v", got, want)
	}
}

func testDeleteApplication(t *testing.T, s *suite) {
	a, b := s.application(t, "a"), s.application(t, "b")
	s.configuration(t, a.ID, "one", `{}`)
	gone := s.configuration(t, a.ID, "two", `{}`)
	kept := s.configuration(t, b.ID, "one", `{}`)
	revision, err := s.DeleteApplication(t.Context(), a.ID, agree)
	wantCode(t, err, "")
	wantEqual(t, s.stats(t), conf.Stats{Revision: 6, Applications: 1, Configurations: 1})
	wantEqual(t, revision, int64(6))
	_, err = s.Application(t.Context(), a.ID)
	wantCode(t, err, conf.NotFound)
	_, err = s.Configuration(t.Context(), gone.ID)
	wantCode(t, err, conf.NotFound)
	_, err = s.Configuration(t.Context(), kept.ID)
	wantCode(t, err, "")
}

func testListApplications(t *testing.T, s *suite) {
	var all []conf.Application
	for i := range 5 {
		a := s.application(t, fmt.Sprint("app", 9-i))
		for j := range i {
			c := s.configuration(t, a.ID, fmt.Sprint("c", j), `{}`)
			a.ConfigurationIDs, a.Revision = append(a.ConfigurationIDs, c.ID), c.Revision
		}
		all = append(all, a)
	}
	for _, tc := range []struct {
		query   conf.ApplicationQuery
		want    []conf.Application
		total   int
		hasMore bool
	}{
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}}, all[:2], 5, true},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2, Offset: 3}}, all[3:], 5, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2, Offset: 5}}, []conf.Application{}, 5, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, Name: "app7"}, all[2:3], 1, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2, Offset: 1}, Name: "app7"}, []conf.Application{}, 1, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, Name: "app"}, []conf.Application{}, 0, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, IDs: ids(all[4], all[0], all[2])}, []conf.Application{all[0], all[2]}, 3, true},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2, Offset: 2}, IDs: ids(all[4], all[0], all[2])}, all[4:], 3, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, IDs: append(ids(all[1]), "gone")}, all[1:2], 1, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, IDs: []string{}}, []conf.Application{}, 0, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, IDs: ids(all[0], all[2]), Name: "app7"}, all[2:3], 1, false},
		{conf.ApplicationQuery{Window: conf.Window{Limit: 2}, IDs: ids(all[0], all[3]), Name: "app7"}, []conf.Application{}, 0, false},
	} {
		got, err := s.Applications(t.Context(), tc.query)
		wantCode(t, err, "")
		wantEqual(t, got, conf.Page[conf.Application]{Items: tc.want, Total: tc.total,
			Limit: tc.query.Limit, Offset: tc.query.Offset, HasMore: tc.hasMore})
	}
}

func ids(apps ...conf.Application) (ids []string) {
	for _, a := range apps {
		ids = append(ids, a.ID)
	}
	return ids
}

func testCreateConfiguration(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	comments := "why"
	c, err := s.CreateConfiguration(t.Context(), conf.Configuration{
		ApplicationID: a.ID, Name: "main", Comments: &comments, Config: []byte(`{"a":[1,2]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ID) != 26 || c.Version != 1 || c.Revision != 2 {
		t.Errorf("created %+v", c)
	}
	got, err := s.Configuration(t.Context(), c.ID)
	wantCode(t, err, "")
	wantEqual(t, got, c)
	got, err = s.ConfigurationByName(t.Context(), "shop", "main")
	wantCode(t, err, "")
	wantEqual(t, got, c)
	wantEqual(t, s.stats(t), conf.Stats{Revision: 2, Applications: 1, Configurations: 1})
}

func testUnknownApplication(t *testing.T, s *suite) {
	_, err := s.CreateConfiguration(t.Context(), conf.Configuration{
		ApplicationID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Name: "main", Config: []byte(`{}`)})
	wantCode(t, err, conf.UnknownApplication)
	wantEqual(t, s.stats(t), conf.Stats{})
}

func testConfigurationNameTaken(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	s.configuration(t, a.ID, "main", `{}`)
	other := s.configuration(t, a.ID, "other", `{}`)
	before := s.stats(t)
	_, err := s.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{}`)})
	wantCode(t, err, conf.Exists)
	_, err = s.UpdateConfiguration(t.Context(), other.ID, func(c *conf.Configuration) error { c.Name = "main"; return nil })
	wantCode(t, err, conf.Exists)
	wantEqual(t, s.stats(t), before)
}

func testSameNameElsewhere(t *testing.T, s *suite) {
	a, b := s.application(t, "a"), s.application(t, "b")
	s.configuration(t, a.ID, "main", `{"of":"a"}`)
	s.configuration(t, b.ID, "main", `{"of":"b"}`)
	c, err := s.ConfigurationByName(t.Context(), "b", "main")
	wantCode(t, err, "")
	wantEqual(t, string(c.Config), `{"of":"b"}`)
}

func testUpdateConfiguration(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"a":1}`)
	for version := int64(2); version < 5; version++ {
		got, err := s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error {
			c.Config = fmt.Appendf(nil, `{"a":%d}`, version)
			return nil
		})
		wantCode(t, err, "")
		wantEqual(t, got.Version, version)
		wantEqual(t, got.Revision, version+1)
		read, err := s.Configuration(t.Context(), c.ID)
		wantCode(t, err, "")
		wantEqual(t, read, got)
	}
}

func testEditIdentity(t *testing.T, s *suite) {
	a, b := s.application(t, "a"), s.application(t, "b")
	c := s.configuration(t, a.ID, "main", `{}`)
	got, err := s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error {
		c.ID, c.ApplicationID, c.Version, c.Revision, c.CreatedAt = "x", b.ID, 70, 70, time.Time{}
		return nil
	})
	wantCode(t, err, "")
	want := c
	want.Version, want.Revision, want.UpdatedAt = 2, 4, got.UpdatedAt
	wantEqual(t, got, want)
}

func testNameFreed(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{}`)
	_, err := s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error { c.Name = "old"; return nil })
	wantCode(t, err, "")
	second := s.configuration(t, a.ID, "main", `{}`)
	revision, err := s.DeleteConfiguration(t.Context(), second.ID, agree)
	wantCode(t, err, "")
	third := s.configuration(t, a.ID, "main", `{}`)
	if third.Revision != revision+1 || third.ID == second.ID {
		t.Errorf("after a delete at revision %d: %+v", revision, third)
	}
}

func testListConfigurations(t *testing.T, s *suite) {
	a, b := s.application(t, "a"), s.application(t, "b")
	var all, ofA []conf.Configuration
	for i := range 5 {
		c := s.configuration(t, a.ID, fmt.Sprint("c", 9-i), `{}`)
		all, ofA = append(all, c), append(ofA, c)
		all = append(all, s.configuration(t, b.ID, fmt.Sprint("c", i), `{}`))
	}
	for _, tc := range []struct {
		query   conf.ConfigurationQuery
		want    []conf.Configuration
		total   int
		hasMore bool
	}{
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 4}}, all[:4], 10, true},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 4, Offset: 8}}, all[8:], 10, false},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 3, Offset: 1}, ApplicationID: a.ID}, ofA[1:4], 5, true},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 3, Offset: 9}, ApplicationID: a.ID}, []conf.Configuration{}, 5, false},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 3, Offset: 1}, Owners: []string{"gone", a.ID}}, ofA[1:4], 5, true},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 4}, Owners: ids(b, a)}, all[:4], 10, true},
		{conf.ConfigurationQuery{Window: conf.Window{Limit: 4}, Owners: []string{}}, []conf.Configuration{}, 0, false},
	} {
		got, err := s.Configurations(t.Context(), tc.query)
		wantCode(t, err, "")
		wantEqual(t, got, conf.Page[conf.Configuration]{Items: tc.want, Total: tc.total,
			Limit: tc.query.Limit, Offset: tc.query.Offset, HasMore: tc.hasMore})
	}
	empty := s.application(t, "empty")
	got, err := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: conf.Window{Limit: 1}, ApplicationID: empty.ID})
	wantCode(t, err, "")
	wantEqual(t, got, conf.Page[conf.Configuration]{Items: []conf.Configuration{}, Limit: 1})
}

func testNotFound(t *testing.T, s *suite) {
	ctx, id := t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	a := s.application(t, "shop")
	s.configuration(t, a.ID, "main", `{}`)
	before := s.stats(t)
	for name, call := range map[string]func() error{
		"Application":         func() error { _, err := s.Application(ctx, id); return err },
		"UpdateApplication":   func() error { _, err := s.UpdateApplication(ctx, id, agree); return err },
		"DeleteApplication":   func() error { _, err := s.DeleteApplication(ctx, id, agree); return err },
		"Configuration":       func() error { _, err := s.Configuration(ctx, id); return err },
		"UpdateConfiguration": func() error { _, err := s.UpdateConfiguration(ctx, id, agree); return err },
		"DeleteConfiguration": func() error { _, err := s.DeleteConfiguration(ctx, id, agree); return err },
		"by another name":     func() error { _, err := s.ConfigurationByName(ctx, "shop", "x"); return err },
		"of another name":     func() error { _, err := s.ConfigurationByName(ctx, "x", "main"); return err },
		"Configurations": func() error {
			_, err := s.Configurations(ctx, conf.ConfigurationQuery{Window: conf.Window{Limit: 1}, ApplicationID: id})
			return err
		},
	} {
		if got := conf.CodeOf(call()); got != conf.NotFound {
			t.Errorf("%s of what is not there: code %q, want %q", name, got, conf.NotFound)
		}
	}
	wantEqual(t, s.stats(t), before)
}

func testInvalid(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{}`)
	before := s.stats(t)
	long := strings.Repeat("é", conf.MaxComments+1)
	_, err := s.CreateApplication(t.Context(), conf.Application{Name: strings.Repeat("é", conf.MaxName+1), Comments: &long})
	wantFields(t, err, "/name", "/comments")
	_, err = s.CreateConfiguration(t.Context(), conf.Configuration{Config: []byte(`[]`)})
	wantFields(t, err, "/application_id", "/name", "/config")
	_, err = s.UpdateApplication(t.Context(), a.ID, func(a *conf.Application) error { a.Name = "a\x00b"; return nil })
	wantFields(t, err, "/name")
	_, err = s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error { c.Config = []byte(`{"a":`); return nil })
	wantFields(t, err, "/config")
	wantEqual(t, s.stats(t), before)
}

func wantFields(t *testing.T, err error, pointers ...string) {
	t.Helper()
	wantCode(t, err, conf.Invalid)
	var got []string
	if e, ok := errors.AsType[*conf.Error](err); ok {
		for _, f := range e.Fields {
			got = append(got, f.Pointer)
		}
	}
	wantEqual(t, got, pointers)
}

func testApplicationRevision(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	revision := func() int64 {
		t.Helper()
		got, err := s.Application(t.Context(), a.ID)
		wantCode(t, err, "")
		return got.Revision
	}
	c := s.configuration(t, a.ID, "main", `{}`)
	wantEqual(t, revision(), c.Revision)
	_, err := s.UpdateConfiguration(t.Context(), c.ID, agree)
	wantCode(t, err, "")
	wantEqual(t, revision(), c.Revision) // its set of configurations is the same
	deleted, err := s.DeleteConfiguration(t.Context(), c.ID, agree)
	wantCode(t, err, "")
	wantEqual(t, revision(), deleted)
}

func testCompareAndSet(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{}`)
	for range 5 {
		seen, err := s.Configuration(t.Context(), c.ID)
		wantCode(t, err, "")
		wins := s.race(t, 16, func() error {
			_, err := s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error {
				if c.Version != seen.Version {
					return conf.Errorf(conf.PreconditionFailed, "changed")
				}
				return nil
			})
			return err
		}, conf.PreconditionFailed)
		wantEqual(t, wins, 1)
	}
	got, err := s.Configuration(t.Context(), c.ID)
	wantCode(t, err, "")
	wantEqual(t, got.Version, int64(6))
}

// race makes n calls at once and returns how many succeeded; the others must
// end in the code lost.
func (s *suite) race(t *testing.T, n int, call func() error, lost conf.Code) (wins int) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = call() })
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			wins++
		} else {
			wantCode(t, err, lost)
		}
	}
	return wins
}

func testConcurrentRevisions(t *testing.T, s *suite) {
	const n = 40
	var mu sync.Mutex
	seen := map[int64]bool{}
	var next int
	s.race(t, n, func() error {
		mu.Lock()
		next++
		name := fmt.Sprint("app", next)
		mu.Unlock()
		a, err := s.CreateApplication(t.Context(), conf.Application{Name: name})
		mu.Lock()
		seen[a.Revision] = true
		mu.Unlock()
		return err
	}, "")
	for r := int64(1); r <= n; r++ {
		if !seen[r] {
			t.Errorf("no write has the revision %d", r)
		}
	}
	wantEqual(t, s.stats(t), conf.Stats{Revision: n, Applications: n})
}

func testExactText(t *testing.T, s *suite) {
	const config = `{"big":12345678901234567890,"tiny":1e-400,"money":1.10,"text":"\u0000 <é> 😀","nested":{"a":[{}]}}`
	name := `a/b %2F "quoted" 😀 ..`
	a := s.application(t, name)
	s.configuration(t, a.ID, name, config)
	got, err := s.ConfigurationByName(t.Context(), name, name)
	wantCode(t, err, "")
	wantEqual(t, string(got.Config), config)
}

func testContext(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Application(ctx, a.ID)
	wantCode(t, err, conf.Unavailable)
	_, err = s.CreateApplication(ctx, conf.Application{Name: "late"})
	wantCode(t, err, conf.Unavailable)
	wantEqual(t, s.stats(t), conf.Stats{Revision: 1, Applications: 1})
}
