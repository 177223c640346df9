package storetest

import (
	"fmt"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

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
	for w := range windows(len(ofA)) {
		got, err := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: w, ApplicationID: a.ID})
		wantCode(t, err, "")
		wantEqual(t, got, pageOf(ofA, w))
	}
	empty := s.application(t, "empty")
	got, err := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: conf.Window{Limit: 1}, ApplicationID: empty.ID})
	wantCode(t, err, "")
	wantEqual(t, got, conf.Page[conf.Configuration]{Items: []conf.Configuration{}, Limit: 1})
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
