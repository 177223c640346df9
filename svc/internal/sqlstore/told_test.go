package sqlstore

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
)

// told notes what a store tells of its commits, and returns all of it.
func told(s *Store) func() []conf.Transaction {
	var all []conf.Transaction
	s.OnCommit(func(txs []conf.Transaction) { all = append(all, txs...) })
	return func() []conf.Transaction { return all }
}

// wantTold compares what was told with what the store tells who asks.
func wantTold(t *testing.T, s *Store, got []conf.Transaction) {
	t.Helper()
	want, err := s.Changes(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told otherwise than read (-want +got):\n%s", diff)
	}
}

func TestCommitIsToldOtherwiseThanRead(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		got := told(c.Store)
		by := conf.WithActor(t.Context(), conf.Actor{Name: "till", Address: "192.0.2.1"})
		comments := "of the till"
		a, err := c.CreateApplication(by, conf.Application{Name: "till", Comments: &comments})
		must(t, err)
		if len(got()) != 1 {
			t.Error("the write returned before its commit was told")
		}
		one, err := c.CreateConfiguration(by, conf.Configuration{ApplicationID: a.ID, Name: "one", Comments: &comments, Config: []byte(`{"a":1.50}`)})
		must(t, err)
		two, err := c.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "two", Config: []byte(`{}`)})
		must(t, err)
		_, err = c.UpdateConfiguration(by, one.ID, func(c *conf.Configuration) error { c.Name, c.Config = "1", []byte(`{"a":2}`); return nil })
		must(t, err)
		_, err = c.RollbackConfiguration(t.Context(), one.ID, 1, func(*conf.Configuration) error { return nil })
		must(t, err)
		_, err = c.UpdateApplication(t.Context(), a.ID, func(a *conf.Application) error { a.Comments = nil; return nil })
		must(t, err)
		_, err = c.DeleteConfiguration(by, two.ID, func(*conf.Configuration) error { return nil })
		must(t, err)
		_, err = c.DeleteApplication(by, a.ID, func(*conf.Application) error { return nil })
		must(t, err)
		wantTold(t, c.Store, got())
	})
}

// What is told is in order, and nothing of it is refused.
func TestCompanyIsToldOtherwiseThanItsCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		got := told(c.Store)
		a := createApplication(t, c.Store, "first")
		c.create(t.Context(), "one")
		c.create(t.Context(), "one")
		c.edit(t.Context(), a.ID, func(a *conf.Application) error { a.Name = "1st"; return nil })
		c.edit(t.Context(), a.ID, func(*conf.Application) error { return conf.Errorf(conf.PreconditionFailed, "no") })
		c.create(t.Context(), "two")
		wantCodes(t, c.meet(t), "", conf.Exists, "", conf.PreconditionFailed, "")
		wantTold(t, c.Store, got())

		mend := c.breakCommits(t)
		c.create(t.Context(), "three")
		wantCodes(t, c.meet(t), conf.Internal)
		mend()
		wantTold(t, c.Store, got())
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
