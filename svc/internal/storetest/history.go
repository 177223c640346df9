package storetest

import (
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

func historyTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"every version can be read and listed, the newest first": testVersions,
		"a rollback makes a new version of an old one":           testRollback,
		"a refused rollback changes nothing":                     testRefusedRollback,
		"any revision and time can be asked":                     testAt,
		"names are those of the time that is asked":              testByNameAt,
		"a point that has not come is refused":                   testFuture,
		"changes come in order, whole and none left out":         testChanges,
		"changes that are not kept are not passed over":          testCompacted,
		"the last versions are kept whatever their age":          testPrune,
		"young versions are kept whatever their number":          testPruneKeepsYoung,
		"no version needs to be kept":                            testPruneAll,
		"the audit tells who, what, when and from where":         testAudit,
		"the total of the audit is that of its entries":          testAuditTotal,
		"times follow revisions":                                 testTimes,
	}
}

// update makes the next version with this config.
func (s *suite) update(t *testing.T, id, config string) conf.Configuration {
	t.Helper()
	c, err := s.UpdateConfiguration(t.Context(), id, func(c *conf.Configuration) error {
		c.Config = []byte(config)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func versionOf(c conf.Configuration) conf.Version {
	return conf.Version{Version: c.Version, Revision: c.Revision, Name: c.Name, Comments: c.Comments,
		Config: c.Config, CreatedAt: c.UpdatedAt}
}

func testVersions(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c1 := s.configuration(t, a.ID, "main", `{"v":1}`)
	c2 := s.update(t, c1.ID, `{"v":2}`)
	c3 := s.update(t, c1.ID, `{"v":3}`)
	want := []conf.Version{versionOf(c3), versionOf(c2), versionOf(c1)}
	page, err := s.Versions(t.Context(), c1.ID, conf.Window{Limit: 2})
	wantCode(t, err, "")
	wantEqual(t, page, conf.NewPage(want[:2], 3, conf.Window{Limit: 2}))
	page, err = s.Versions(t.Context(), c1.ID, conf.Window{Limit: 2, Offset: 2})
	wantCode(t, err, "")
	wantEqual(t, page, conf.NewPage(want[2:], 3, conf.Window{Limit: 2, Offset: 2}))
	for _, v := range want {
		got, err := s.Version(t.Context(), c1.ID, v.Version)
		wantCode(t, err, "")
		wantEqual(t, got, v)
	}
	_, err = s.Version(t.Context(), c1.ID, 4)
	wantCode(t, err, conf.NotFound)
	_, err = s.DeleteConfiguration(t.Context(), c1.ID, agree)
	wantCode(t, err, "")
	_, err = s.Version(t.Context(), c1.ID, 1)
	wantCode(t, err, conf.NotFound)
	_, err = s.Versions(t.Context(), c1.ID, conf.Window{Limit: 2})
	wantCode(t, err, conf.NotFound)
}

func testRollback(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	s.update(t, c.ID, `{"v":2}`)
	back, err := s.RollbackConfiguration(t.Context(), c.ID, 1, agree)
	wantCode(t, err, "")
	want := c
	want.Version, want.Revision, want.UpdatedAt = 3, 4, back.UpdatedAt
	wantEqual(t, back, want)
	got, err := s.Version(t.Context(), c.ID, 3)
	wantCode(t, err, "")
	wantEqual(t, got, versionOf(back))
	txs, err := s.Changes(t.Context(), 3, 1)
	wantCode(t, err, "")
	wantEqual(t, txs[0].Changes[0].Operation, conf.Rollback)
}

func testRefusedRollback(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	before := s.stats(t)
	refusal := conf.Errorf(conf.PreconditionFailed, "no")
	_, err := s.RollbackConfiguration(t.Context(), c.ID, 1, func(*conf.Configuration) error { return refusal })
	wantSame(t, err, refusal)
	_, err = s.RollbackConfiguration(t.Context(), c.ID, 7, agree)
	wantCode(t, err, conf.NotFound)
	wantEqual(t, s.stats(t), before)
}

func testAt(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c1 := s.configuration(t, a.ID, "main", `{"v":1}`)
	other := s.configuration(t, a.ID, "other", `{}`)
	c2 := s.update(t, c1.ID, `{"v":2}`)
	deleted, err := s.DeleteConfiguration(t.Context(), c1.ID, agree)
	wantCode(t, err, "")
	last := s.update(t, other.ID, `{"v":1}`)

	at := func(p conf.Point, want conf.Configuration, code conf.Code) {
		t.Helper()
		got, err := s.ConfigurationAt(t.Context(), c1.ID, p)
		wantCode(t, err, code)
		wantEqual(t, got, want)
	}
	none := conf.Configuration{}
	at(conf.Point{Revision: c1.Revision - 1}, none, conf.NotFound)
	at(conf.Point{Revision: c1.Revision}, c1, "")
	at(conf.Point{Revision: other.Revision}, c1, "")
	at(conf.Point{Revision: c2.Revision}, c2, "")
	at(conf.Point{Revision: deleted}, none, conf.NotFound)
	at(conf.Point{Revision: last.Revision}, none, conf.NotFound)

	at(conf.Point{Time: c1.CreatedAt.Add(-time.Microsecond)}, none, conf.NotFound)
	at(conf.Point{Time: c1.CreatedAt}, c1, "")
	at(conf.Point{Time: c2.UpdatedAt.Add(-time.Microsecond)}, c1, "")
	at(conf.Point{Time: c2.UpdatedAt}, c2, "")
	at(conf.Point{Time: last.UpdatedAt}, none, conf.NotFound)
}

func testByNameAt(t *testing.T, s *suite) {
	ctx := t.Context()
	a := s.application(t, "shop")                         // 1
	first := s.configuration(t, a.ID, "main", `{}`)       // 2
	_, err := s.DeleteConfiguration(ctx, first.ID, agree) // 3
	wantCode(t, err, "")
	second := s.configuration(t, a.ID, "main", `{"n":2}`)                                                     // 4
	_, err = s.UpdateApplication(ctx, a.ID, func(a *conf.Application) error { a.Name = "store"; return nil }) // 5
	wantCode(t, err, "")
	renamed, err := s.UpdateConfiguration(ctx, second.ID, func(c *conf.Configuration) error { c.Name = "base"; return nil }) // 6
	wantCode(t, err, "")
	b := s.application(t, "shop")                        // 7
	third := s.configuration(t, b.ID, "main", `{"n":3}`) // 8

	none := conf.Configuration{}
	for _, tc := range []struct {
		application, name string
		revision          int64
		want              conf.Configuration
	}{
		{"shop", "main", 1, none},
		{"shop", "main", 2, first},
		{"shop", "main", 3, none},
		{"shop", "main", 4, second},
		{"shop", "main", 5, none},
		{"store", "main", 4, none},
		{"store", "main", 5, second},
		{"store", "main", 6, none},
		{"store", "base", 6, renamed},
		{"shop", "main", 7, none},
		{"shop", "main", 8, third},
		{"store", "base", 8, renamed},
	} {
		got, err := s.ConfigurationByNameAt(ctx, tc.application, tc.name, conf.Point{Revision: tc.revision})
		if want := conf.NotFound; tc.want.ID == "" {
			wantCode(t, err, want)
		}
		if got.ID != tc.want.ID || got.Revision != tc.want.Revision {
			t.Errorf("%s/%s at %d is %+v (%v), want %+v", tc.application, tc.name, tc.revision, got, err, tc.want)
		}
	}
}

func testFuture(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{}`)
	for _, p := range []conf.Point{{Revision: 3}, {Time: time.Now().Add(time.Hour)}} {
		_, err := s.ConfigurationAt(t.Context(), c.ID, p)
		wantFields(t, err, "/at")
	}
}

func testChanges(t *testing.T, s *suite) {
	comments := "why"
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	c2, err := s.UpdateConfiguration(conf.WithActor(t.Context(), conf.Actor{Name: "kim"}), c.ID, func(c *conf.Configuration) error {
		c.Comments = &comments
		return nil
	})
	wantCode(t, err, "")
	_, err = s.DeleteApplication(t.Context(), a.ID, agree)
	wantCode(t, err, "")

	txs, err := s.Changes(t.Context(), 0, 10)
	wantCode(t, err, "")
	if len(txs) != 4 {
		t.Fatalf("got %d transactions, want 4: %+v", len(txs), txs)
	}
	kim := "kim"
	wantEqual(t, txs[2], conf.Transaction{Revision: 3, Changes: []conf.Change{{
		Operation: conf.Update, ApplicationID: a.ID, ConfigurationID: c.ID, Name: "main", Comments: &comments,
		Config: c.Config, Version: 2, ChangedBy: &kim, CreatedAt: c.CreatedAt, UpdatedAt: c2.UpdatedAt}}})
	last := txs[3].Changes
	if len(last) != 2 || last[0].Operation != conf.Delete || last[0].ConfigurationID != c.ID || last[0].Version != 3 ||
		last[0].Config != nil || last[1].Operation != conf.Delete || last[1].ConfigurationID != "" {
		t.Errorf("the delete of the application is %+v", last)
	}
	some, err := s.Changes(t.Context(), 1, 2)
	wantCode(t, err, "")
	wantEqual(t, some, txs[1:3])
	rest, err := s.Changes(t.Context(), 4, 2)
	wantCode(t, err, "")
	wantEqual(t, len(rest), 0)
}

func testCompacted(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	s.update(t, c.ID, `{"v":2}`)
	s.prune(t, conf.Retention{Versions: 1, Audit: time.Hour})
	_, err := s.Changes(t.Context(), 1, 10)
	wantCode(t, err, conf.Compacted)
	txs, err := s.Changes(t.Context(), 2, 10)
	wantCode(t, err, "")
	wantEqual(t, len(txs), 1)
	_, err = s.ConfigurationAt(t.Context(), c.ID, conf.Point{Revision: 2})
	wantCode(t, err, conf.NotFound)
}

// prune forgets everything that is old enough by r, as seen from later on.
func (s *suite) prune(t *testing.T, r conf.Retention) {
	t.Helper()
	if err := s.Prune(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func testPrune(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	for range 4 {
		s.update(t, c.ID, `{}`)
	}
	quiet := s.configuration(t, a.ID, "quiet", `{}`)
	before := s.stats(t)
	s.prune(t, conf.Retention{Versions: 2, Audit: time.Hour})
	page, err := s.Versions(t.Context(), c.ID, conf.Window{Limit: 10})
	wantCode(t, err, "")
	wantEqual(t, page.Total, 2)
	wantEqual(t, page.Items[1].Version, int64(4))
	for w := range windows(5) {
		got, err := s.Versions(t.Context(), c.ID, w)
		wantCode(t, err, "")
		wantEqual(t, got, pageOf(page.Items, w))
	}
	for version, code := range map[int64]conf.Code{-1: conf.NotFound, 1: conf.NotFound, 3: conf.NotFound, 4: "", 5: "", 6: conf.NotFound} {
		v, err := s.Version(t.Context(), c.ID, version)
		wantCode(t, err, code)
		if code == "" {
			wantEqual(t, v.Version, version)
		}
	}
	_, err = s.Version(t.Context(), quiet.ID, 1)
	wantCode(t, err, "")
	wantEqual(t, s.stats(t), before)

	audit, err := s.Audit(t.Context(), conf.AuditQuery{Window: conf.Window{Limit: 10}})
	wantCode(t, err, "")
	wantEqual(t, audit.Total, 7)
	s.prune(t, conf.Retention{Versions: 2})
	audit, err = s.Audit(t.Context(), conf.AuditQuery{Window: conf.Window{Limit: 10}})
	wantCode(t, err, "")
	wantEqual(t, audit.Total, 4) // the application, two versions and the quiet one
	got, err := s.ConfigurationByNameAt(t.Context(), "shop", "quiet", conf.Point{Revision: quiet.Revision})
	wantCode(t, err, "")
	wantEqual(t, got, quiet)
}

func testPruneAll(t *testing.T, s *suite) {
	c := s.configuration(t, s.application(t, "shop").ID, "main", `{"v":1}`)
	s.update(t, c.ID, `{"v":2}`)
	s.prune(t, conf.Retention{Audit: time.Hour})
	page, err := s.Versions(t.Context(), c.ID, conf.Window{Limit: 10})
	wantCode(t, err, "")
	wantEqual(t, page, conf.NewPage[conf.Version](nil, 0, conf.Window{Limit: 10}))
	s.update(t, c.ID, `{"v":3}`)
	page, err = s.Versions(t.Context(), c.ID, conf.Window{Limit: 10})
	wantCode(t, err, "")
	wantEqual(t, page.Total, 1)
	wantEqual(t, page.Items[0].Version, int64(3))
}

func testPruneKeepsYoung(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{"v":1}`)
	s.update(t, c.ID, `{"v":2}`)
	s.prune(t, conf.Retention{Versions: 1, Age: time.Hour, Audit: time.Hour})
	page, err := s.Versions(t.Context(), c.ID, conf.Window{Limit: 10})
	wantCode(t, err, "")
	wantEqual(t, page.Total, 2)
	_, err = s.Changes(t.Context(), 0, 10)
	wantCode(t, err, "")
}

func testAudit(t *testing.T, s *suite) {
	kim := conf.WithActor(t.Context(), conf.Actor{Name: "kim", Address: "192.0.2.7"})
	a, err := s.CreateApplication(kim, conf.Application{Name: "shop"})
	wantCode(t, err, "")
	c := s.configuration(t, a.ID, "main", `{}`)
	page, err := s.Audit(t.Context(), conf.AuditQuery{Window: conf.Window{Limit: 10}})
	wantCode(t, err, "")
	one, who, from := int64(1), "kim", "192.0.2.7"
	want := []conf.AuditEntry{
		{Revision: 2, Time: c.CreatedAt, Operation: conf.Create, ApplicationID: a.ID, ConfigurationID: &c.ID, Name: "main", Version: &one},
		{Revision: 1, Time: a.CreatedAt, ChangedBy: &who, ChangedFrom: &from, Operation: conf.Create, ApplicationID: a.ID, Name: "shop"},
	}
	wantEqual(t, page, conf.NewPage(want, 2, conf.Window{Limit: 10}))
	for _, tc := range []struct {
		q    conf.AuditQuery
		want []conf.AuditEntry
	}{
		{conf.AuditQuery{ApplicationID: a.ID}, want},
		{conf.AuditQuery{ConfigurationID: c.ID}, want[:1]},
		{conf.AuditQuery{ChangedBy: "kim"}, want[1:]},
		{conf.AuditQuery{ChangedBy: "kim", ConfigurationID: c.ID}, nil},
	} {
		tc.q.Window = conf.Window{Limit: 10}
		got, err := s.Audit(t.Context(), tc.q)
		wantCode(t, err, "")
		wantEqual(t, got, conf.NewPage(tc.want, len(tc.want), tc.q.Window))
	}
}

// The total is kept rather than counted, so it must follow each kind of change.
func testAuditTotal(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	s.configuration(t, a.ID, "main", `{}`)
	s.configuration(t, a.ID, "other", `{}`)
	_, err := s.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{}`)})
	wantCode(t, err, conf.Exists)
	_, err = s.DeleteApplication(t.Context(), a.ID, agree)
	wantCode(t, err, "")
	s.prune(t, conf.Retention{Audit: time.Hour})
	for _, want := range []int{6, 0} {
		page, err := s.Audit(t.Context(), conf.AuditQuery{Window: conf.Window{Limit: 10}})
		wantCode(t, err, "")
		wantEqual(t, page.Total, want)
		wantEqual(t, len(page.Items), want)
		s.prune(t, conf.Retention{})
	}
}

func testTimes(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	last := s.configuration(t, a.ID, "main", `{}`).UpdatedAt
	for range 50 {
		c, _ := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: conf.Window{Limit: 1}})
		now := s.update(t, c.Items[0].ID, `{}`).UpdatedAt
		if !now.After(last) {
			t.Fatalf("a later revision has the time %v, after %v", now, last)
		}
		last = now
	}
}
