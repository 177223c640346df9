package sqlstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
)

// A past is a configuration with all that it has been, as a test remembers it.
type past struct {
	*company
	owner    string // the application
	id       string
	versions []conf.Configuration // the first first
	gone     int64                // the revision at which it was deleted, 0: it is there
}

// newPast makes a configuration of so many versions, between changes of another.
func newPast(t *testing.T, c *company, versions int) *past {
	t.Helper()
	a := createApplication(t, c.Store, "shop")
	p := &past{company: c, owner: a.ID}
	for i := range versions {
		created, err := c.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: fmt.Sprint("other", i), Config: []byte(`{}`)})
		must(t, err)
		if i == 0 {
			p.id = created.ID
			p.versions = append(p.versions, created)
			continue
		}
		changed, err := c.UpdateConfiguration(t.Context(), p.id, func(c *conf.Configuration) error {
			c.Name, c.Config = fmt.Sprint("name", i%3), fmt.Appendf(nil, `{"version": %d}`, i+1)
			return nil
		})
		must(t, err)
		p.versions = append(p.versions, changed)
	}
	return p
}

func (p *past) delete(t *testing.T) {
	t.Helper()
	var err error
	p.gone, err = p.DeleteConfiguration(t.Context(), p.id, func(*conf.Configuration) error { return nil })
	must(t, err)
}

// wantAt looks for the configuration at each revision, of which the versions
// from kept on are to be known.
func (p *past) wantAt(t *testing.T, kept int) {
	t.Helper()
	st, err := p.Stats(t.Context())
	must(t, err)
	current := 0
	for revision := int64(1); revision <= st.Revision; revision++ {
		for current < len(p.versions) && p.versions[current].Revision <= revision {
			current++
		}
		at := conf.Point{Revision: revision}
		got, err := p.ConfigurationAt(t.Context(), p.id, at)
		if current == 0 || current < kept || p.gone > 0 && revision >= p.gone {
			if conf.CodeOf(err) != conf.NotFound {
				t.Errorf("at %d is %+v (%v)", revision, got, err)
			}
			continue
		}
		want := p.versions[current-1]
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("at %d (%v, -want +got)\n%s", revision, err, diff)
		}
		got, err = p.ConfigurationByNameAt(t.Context(), "shop", want.Name, at)
		if err != nil || got.ID != p.id || got.Version != want.Version {
			t.Errorf("%s at %d is %+v (%v)", want.Name, revision, got, err)
		}
	}
}

// wantVersions lists the versions, of which those from kept on are to be known, in
// pages of all sizes, and asks for each.
func (p *past) wantVersions(t *testing.T, kept int) {
	t.Helper()
	newest := len(p.versions)
	for _, limit := range []int{1, 7, 16, 100} {
		for offset := range newest + 2 {
			page, err := p.Versions(t.Context(), p.id, conf.Window{Limit: limit, Offset: offset})
			must(t, err)
			got, want := []int64{}, []int64{}
			for _, v := range page.Items {
				got = append(got, v.Version)
			}
			for v := newest - offset; v >= kept && len(want) < limit; v-- {
				want = append(want, int64(v))
			}
			if diff := cmp.Diff(want, got); diff != "" || page.Total != newest-kept+1 {
				t.Errorf("%d from %d on of %d (-want +got)\n%s", limit, offset, page.Total, diff)
			}
		}
	}
	for v := range newest + 2 {
		got, err := p.Version(t.Context(), p.id, int64(v))
		known := v >= kept && v <= newest
		if known && (err != nil || string(got.Config) != string(p.versions[v-1].Config)) || !known && conf.CodeOf(err) != conf.NotFound {
			t.Errorf("version %d is %+v (%v)", v, got, err)
		}
	}
}

// wantAudit tells how many entries of the audit are to be about it.
func (p *past) wantAudit(t *testing.T, want int) {
	t.Helper()
	page, err := p.Audit(t.Context(), conf.AuditQuery{ConfigurationID: p.id, Window: conf.Window{Limit: 10}})
	if err != nil || page.Total != want || len(page.Items) != min(want, 10) {
		t.Fatalf("the audit has %d, shows %d (%v), want %d", page.Total, len(page.Items), err, want)
	}
	for i := 1; i < len(page.Items); i++ {
		if page.Items[i].Revision >= page.Items[i-1].Revision {
			t.Errorf("%d after %d", page.Items[i].Revision, page.Items[i-1].Revision)
		}
	}
}

// Whatever is in the index, each version must be found by number, by revision and
// by name.
func TestVersionIsNotFoundFromTheNextInTheIndex(t *testing.T) {
	for _, versions := range []int{1, 15, 16, 17, 40} {
		onBoth(t, func(t *testing.T, c *company) {
			p := newPast(t, c, versions)
			p.wantAt(t, 1)
			p.wantVersions(t, 1)
			p.wantAudit(t, versions)
			p.delete(t)
			p.wantAt(t, 1)
			p.wantAudit(t, versions+1)
		})
	}
}

func TestVersionIsNotFoundOnceItsApplicationIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		p := newPast(t, c, 20)
		var err error
		p.gone, err = p.DeleteApplication(t.Context(), p.owner, func(*conf.Application) error { return nil })
		must(t, err)
		p.wantAt(t, 1)
		p.wantAudit(t, 21)
	})
}

func TestVersionsThatAreKeptAreNotFoundOncePruned(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		p := newPast(t, c, 40)
		must(t, c.Prune(t.Context(), conf.Retention{Versions: 20, Audit: time.Hour}))
		p.wantAt(t, 21)
		p.wantVersions(t, 21)
		p.wantAudit(t, 40)
		must(t, c.Prune(t.Context(), conf.Retention{Versions: 5}))
		p.wantAt(t, 36)
		p.wantVersions(t, 36)
		p.wantAudit(t, 5)
	})
}

// The delete is how the versions before it are found, so it must not go before
// them.
func TestDeleteIsPrunedBeforeWhatItDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		p := newPast(t, c, 20)
		p.delete(t)
		must(t, c.Prune(t.Context(), conf.Retention{Age: time.Hour}))
		p.wantAt(t, 1)
		must(t, c.Prune(t.Context(), conf.Retention{}))
		p.wantAt(t, 21)
		p.wantAudit(t, 0)
	})
}

// A program that has been running since before versions led back would write
// some that do not.
func TestOlderProgramCutsAHistoryOff(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		p := newPast(t, c, 2)
		err := c.write(t.Context(), func(tx *transaction) error {
			return tx.exec(`INSERT INTO changes
				(revision, ordinal, operation, application_id, configuration_id, version, name, config, created_at, changed_at)
				VALUES ($1, 0, 'update', $2, $3, 3, 'main', '{}', 1, 2)`, tx.revision, p.owner, p.id)
		})
		if err == nil {
			t.Error("it was let")
		}
	})
}
