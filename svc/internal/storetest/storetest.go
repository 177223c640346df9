// Package storetest is the conformance suite that every [conf.Store] passes.
package storetest

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

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
