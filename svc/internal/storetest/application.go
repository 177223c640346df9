package storetest

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

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
	for w := range windows(len(all)) {
		got, err := s.Applications(t.Context(), conf.ApplicationQuery{Window: w})
		wantCode(t, err, "")
		wantEqual(t, got, pageOf(all, w))
	}
}

// windows returns all that there are on a list of total, and some beyond.
func windows(total int) iter.Seq[conf.Window] {
	return func(yield func(conf.Window) bool) {
		for limit := 1; limit <= total+1; limit++ {
			for offset := range total + 2 {
				if !yield(conf.Window{Limit: limit, Offset: offset}) {
					return
				}
			}
		}
	}
}

// pageOf returns what w shows of a list.
func pageOf[T any](all []T, w conf.Window) conf.Page[T] {
	start := min(w.Offset, len(all))
	return conf.NewPage(all[start:min(start+w.Limit, len(all))], len(all), w)
}

func ids(apps ...conf.Application) (ids []string) {
	for _, a := range apps {
		ids = append(ids, a.ID)
	}
	return ids
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
