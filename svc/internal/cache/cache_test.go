package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// world is a cache before a real store, and the store as another replica sees
// it.
type world struct {
	*testing.T
	*Store
	elsewhere conf.Store
	fresh     bool
}

func newWorld(t *testing.T, maxBytes int64) *world {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{T: t, elsewhere: db, fresh: true}
	w.Store = New(db, maxBytes, func() bool { return w.fresh }, nil)
	return w
}

func (w *world) application(name string) conf.Application {
	w.Helper()
	a, err := w.CreateApplication(w.Context(), conf.Application{Name: name})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) configuration(applicationID, name, config string) conf.Configuration {
	w.Helper()
	c, err := w.CreateConfiguration(w.Context(), conf.Configuration{ApplicationID: applicationID, Name: name, Config: []byte(config)})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// want reads by id and by names and says where the answer has to come from.
func (w *world) want(c conf.Configuration, application string, cached bool) {
	w.Helper()
	c.Cached = cached
	got, err := w.Configuration(w.Context(), c.ID)
	if diff := cmp.Diff(c, got); err != nil || diff != "" {
		w.Errorf("by id: %v (-want +got)\n%s", err, diff)
	}
	w.wantNamed(c, application, c.Name)
}

func (w *world) wantNamed(c conf.Configuration, application, name string) {
	w.Helper()
	got, err := w.ConfigurationByName(w.Context(), application, name)
	if err != nil || got.ID != c.ID || got.Revision != c.Revision {
		w.Errorf("by names: %+v (%v), want %+v", got, err, c)
	}
}

func (w *world) wantGone(id, application, name string) {
	w.Helper()
	if got, err := w.Configuration(w.Context(), id); id != "" && conf.CodeOf(err) != conf.NotFound {
		w.Errorf("by id it is still there: %+v, %v", got, err)
	}
	if got, err := w.ConfigurationByName(w.Context(), application, name); conf.CodeOf(err) != conf.NotFound {
		w.Errorf("by names it is still there: %+v, %v", got, err)
	}
}

func setConfig(text string) conf.Edit[conf.Configuration] {
	return func(c *conf.Configuration) error { c.Config = []byte(text); return nil }
}

func agree[T any](*T) error { return nil }

func TestSecondReadIsAnsweredFromMemoryWithTheSame(t *testing.T) {
	w := newWorld(t, 1<<20)
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{"a":1.10}`)
	w.want(c, "shop", false)
	w.want(c, "shop", true)
	if got, _ := w.ConfigurationByName(t.Context(), "shop", "main"); !got.Cached {
		t.Error("the second read by names was not answered from memory")
	}
}

func TestReadAfterOwnWriteSeesIt(t *testing.T) {
	w := newWorld(t, 1<<20)
	ctx := t.Context()
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	w.want(c, "shop", false)

	c, err := w.UpdateConfiguration(ctx, c.ID, setConfig(`{"v":2}`))
	must(t, err)
	w.want(c, "shop", false)
	c, err = w.RollbackConfiguration(ctx, c.ID, 1, agree)
	must(t, err)
	w.want(c, "shop", false)
	c, err = w.UpdateConfiguration(ctx, c.ID, func(c *conf.Configuration) error { c.Name = "base"; return nil })
	must(t, err)
	w.wantGone("", "shop", "main")
	w.want(c, "shop", false)
	_, err = w.UpdateApplication(ctx, a.ID, func(a *conf.Application) error { a.Name = "store"; return nil })
	must(t, err)
	w.wantGone("", "shop", "base")
	w.want(c, "store", false)
	_, err = w.DeleteConfiguration(ctx, c.ID, agree)
	must(t, err)
	w.wantGone(c.ID, "store", "base")
	c = w.configuration(a.ID, "base", `{}`)
	w.want(c, "store", false)
	_, err = w.DeleteApplication(ctx, a.ID, agree)
	must(t, err)
	w.wantGone(c.ID, "store", "base")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// applyFrom tells the cache of all that was committed after a revision.
func (w *world) applyFrom(after int64) {
	w.Helper()
	txs, err := w.elsewhere.Changes(w.Context(), after, 100)
	must(w.T, err)
	for _, tx := range txs {
		w.Apply(tx)
	}
}

func TestChangeMadeElsewhereIsSeenOnceApplied(t *testing.T) {
	w := newWorld(t, 1<<20)
	ctx := t.Context()
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	w.applyFrom(0)
	w.want(c, "shop", false)
	newer, err := w.elsewhere.UpdateConfiguration(ctx, c.ID, setConfig(`{"v":2}`))
	must(t, err)
	w.want(c, "shop", true) // not yet told
	w.applyFrom(c.Revision)
	w.want(newer, "shop", false)

	renamed, err := w.elsewhere.UpdateApplication(ctx, a.ID, func(a *conf.Application) error { a.Name = "store"; return nil })
	must(t, err)
	w.applyFrom(newer.Revision)
	w.wantGone("", "shop", "main")
	_, err = w.elsewhere.DeleteApplication(ctx, a.ID, agree)
	must(t, err)
	w.applyFrom(renamed.Revision)
	w.wantGone(c.ID, "store", "main")
}

// Who is told that what it has is old must not be given that again.
func TestReadAfterARefusalIsOlderThanWhatWasRefusedFor(t *testing.T) {
	errOld := conf.Errorf(conf.PreconditionFailed, "old")
	refuse := func(*conf.Configuration) error { return errOld }
	for name, write := range map[string]func(*world, string) error{
		"update": func(w *world, id string) error {
			_, err := w.UpdateConfiguration(w.Context(), id, refuse)
			return err
		},
		"rollback": func(w *world, id string) error {
			_, err := w.RollbackConfiguration(w.Context(), id, 1, refuse)
			return err
		},
		"delete": func(w *world, id string) error {
			_, err := w.DeleteConfiguration(w.Context(), id, refuse)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1<<20)
			c := w.configuration(w.application("shop").ID, "main", `{}`)
			w.want(c, "shop", false)
			newer, err := w.elsewhere.UpdateConfiguration(t.Context(), c.ID, setConfig(`{"v":2}`))
			must(t, err)
			if err := write(w, c.ID); !errors.Is(err, errOld) {
				t.Fatalf("the write ended with %v", err)
			}
			w.want(newer, "shop", false)
			if err := write(w, c.ID); !errors.Is(err, errOld) {
				t.Fatalf("the write ended with %v", err)
			}
			w.want(newer, "shop", true) // what is as new stays
		})
	}
}

func TestOldNewsDoNotDropWhatIsNewer(t *testing.T) {
	w := newWorld(t, 1<<20)
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	c, err := w.UpdateConfiguration(t.Context(), c.ID, setConfig(`{"v":2}`))
	must(t, err)
	w.want(c, "shop", false)
	w.applyFrom(0) // its creation and its update, both known
	if got, _ := w.Configuration(t.Context(), c.ID); !got.Cached {
		t.Error("the entry was dropped by a change that it contains")
	}
}

func TestEverythingIsForgottenAfterMissedChanges(t *testing.T) {
	w := newWorld(t, 1<<20)
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	w.want(c, "shop", false)
	w.want(c, "shop", true)
	w.Reset()
	w.want(c, "shop", false)
	w.want(c, "shop", true)
}

func TestNothingIsAnsweredFromMemoryWhileNotFresh(t *testing.T) {
	w := newWorld(t, 1<<20)
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	w.want(c, "shop", false)
	w.fresh = false
	w.want(c, "shop", false)
	w.fresh = true
	w.want(c, "shop", true)
}

// slowStore runs something between what a read finds and its return.
type slowStore struct {
	conf.Store
	between func()
}

func (s *slowStore) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	c, err := s.Store.Configuration(ctx, id)
	s.between()
	return c, err
}

func TestReadOvertakenByAChangeIsNotKept(t *testing.T) {
	for name, change := range map[string]func(*world, conf.Configuration){
		"own write": func(w *world, c conf.Configuration) {
			_, err := w.UpdateConfiguration(w.Context(), c.ID, setConfig(`{"v":2}`))
			must(w.T, err)
		},
		"another's, applied": func(w *world, c conf.Configuration) {
			_, err := w.elsewhere.UpdateConfiguration(w.Context(), c.ID, setConfig(`{"v":2}`))
			must(w.T, err)
			w.applyFrom(c.Revision)
		},
		"another's, missed": func(w *world, c conf.Configuration) {
			_, err := w.elsewhere.UpdateConfiguration(w.Context(), c.ID, setConfig(`{"v":2}`))
			must(w.T, err)
			w.Reset()
		},
		"so many others that it cannot be told": func(w *world, c conf.Configuration) {
			_, err := w.elsewhere.UpdateConfiguration(w.Context(), c.ID, setConfig(`{"v":2}`))
			must(w.T, err)
			w.applyFrom(c.Revision)
			for i := range remembered + 1 {
				w.Apply(conf.Transaction{Revision: int64(i) + 10, Changes: []conf.Change{{ConfigurationID: fmt.Sprint(i)}}})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1<<20)
			a := w.application("shop")
			c := w.configuration(a.ID, "main", `{}`)
			slow := &slowStore{Store: w.elsewhere}
			w.Store.Store = slow
			slow.between = func() { slow.between = func() {}; change(w, c) }
			old, err := w.Configuration(t.Context(), c.ID)
			must(t, err)
			if string(old.Config) != `{}` {
				t.Fatalf("the read was not overtaken: %s", old.Config)
			}
			if got, _ := w.Configuration(t.Context(), c.ID); got.Cached || string(got.Config) != `{"v":2}` {
				t.Errorf("after the change: cached %v, %s", got.Cached, got.Config)
			}
		})
	}
}

func TestMemoryIsBoundedAndWhatIsUsedStays(t *testing.T) {
	const each = 10_000
	w := newWorld(t, 5*(each+2*entryOverhead))
	a := w.application("shop")
	body := `{"x":"` + strings.Repeat("x", each) + `"}`
	var all []conf.Configuration
	for i := range 8 {
		c := w.configuration(a.ID, fmt.Sprint("c", i), body)
		all = append(all, c)
		w.want(c, "shop", false)
		w.want(all[0], "shop", true)
		if w.Bytes() > w.entries.maxBytes {
			t.Errorf("%d bytes are in use, %d are allowed", w.Bytes(), w.entries.maxBytes)
		}
	}
	if got, _ := w.Configuration(t.Context(), all[1].ID); got.Cached {
		t.Error("what was not used again is still there")
	}
	huge := w.configuration(a.ID, "huge", `{"x":"`+strings.Repeat("x", 6*each)+`"}`)
	w.want(huge, "shop", false)
	w.want(huge, "shop", false)
}

// The option bounds what is accounted for, so that has to be what is in use.
func TestAccountIsTheMemoryInUse(t *testing.T) {
	const n = 15_000 // the maps have just grown
	for what, tc := range map[string]struct {
		each  int    // configurations of an application
		named string // prefix of the applications' names; empty: asked by id
	}{
		"each of an application of its own, by names": {1, "application"},
		"each of an application of its own, by id":    {1, ""},
		"a thousand of an application, by names":      {1000, "application"},
		"a thousand of an application, by id":         {1000, ""},
	} {
		t.Run(what, func(t *testing.T) {
			es := newEntries(1<<40, func(string) {})
			before := heap()
			for i := range n {
				application := fmt.Sprintf("%026d", i/tc.each)
				c := conf.Configuration{ID: fmt.Sprintf("%026d", i), ApplicationID: application, Name: fmt.Sprint("configuration", i)}
				c.Config = bytes.Repeat([]byte("x"), 400)
				if tc.named != "" {
					application = tc.named + application
				} else {
					application = ""
				}
				es.put(c, cap(c.Config), application)
			}
			used := heap() - before
			t.Logf("%d bytes an entry in use, %d accounted for", used/n, es.bytes/n)
			if used > es.bytes || used < es.bytes*3/4 {
				t.Errorf("%d bytes are in use, %d accounted for", used, es.bytes)
			}
			for _, e := range es.byID {
				es.remove(e)
			}
			if es.bytes != 0 || len(es.byName) != 0 || len(es.applications) != 0 || es.queue.oldest != nil || es.queue.newest != nil {
				t.Errorf("after everything was removed: %d bytes, %d names, %d applications, %v", es.bytes, len(es.byName), len(es.applications), es.queue)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestReadersNeverGoBackUnderConcurrentWrites(t *testing.T) {
	w := newWorld(t, 1<<20)
	a := w.application("shop")
	c := w.configuration(a.ID, "main", `{}`)
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for range 100 {
				kept, err := w.UpdateConfiguration(t.Context(), c.ID, agree)
				if err != nil {
					t.Error(err)
				}
				if got, err := w.Configuration(t.Context(), c.ID); err != nil || got.Revision < kept.Revision {
					t.Errorf("read revision %d (%v) after writing %d", got.Revision, err, kept.Revision)
				}
			}
		})
	}
	readers.Go(func() { w.follow(done) })
	for range 2 {
		readers.Go(func() {
			var last int64
			for running(done) {
				got, err := w.ConfigurationByName(t.Context(), "shop", "main")
				if err != nil || got.Revision < last {
					t.Errorf("read revision %d (%v) after %d", got.Revision, err, last)
				}
				last = got.Revision
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func running(done chan struct{}) bool {
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// follow applies changes as they come, late.
func (w *world) follow(done chan struct{}) {
	var applied int64
	for running(done) {
		txs, err := w.elsewhere.Changes(w.Context(), applied, 3)
		if err != nil {
			w.Error(err)
			return
		}
		for _, tx := range txs {
			w.Apply(tx)
			applied = tx.Revision
		}
	}
}
