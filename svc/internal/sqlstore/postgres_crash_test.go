package sqlstore

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// Whatever was acknowledged is there after the database has crashed, wholly;
// what was not may be there or not, but not by half.
func TestAcknowledgedWritesSurviveCrashesOfTheDatabase(t *testing.T) {
	const crashes = 3
	cluster := pgtest.New(t)
	s := openURL(t, cluster.Database(t), Options{Timeout: 30 * time.Second})
	w := &crashWriters{store: s}
	for crash := range crashes {
		w.run(t, crash, func() { cluster.Kill(t) })
		cluster.Start(t)
	}
	w.verify(t)
}

// crashWriters note what was acknowledged, by revision.
type crashWriters struct {
	store *Store
	acks  sync.Map // of revision to name
	count atomic.Int64
}

// run has writers write until the database is gone; crash is called once they
// are under way.
func (w *crashWriters) run(t *testing.T, round int, crash func()) {
	t.Helper()
	before := w.count.Load()
	var writers sync.WaitGroup
	for writer := range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				if err := w.write(t, fmt.Sprint(round, ".", writer, ".", i)); err != nil {
					wantUnavailable(t, err)
					return
				}
			}
		})
	}
	waitFor(t, func() bool { return w.count.Load() >= before+40 })
	crash()
	writers.Wait()
}

// write makes an application with a configuration: two transactions.
func (w *crashWriters) write(t *testing.T, name string) error {
	a, err := w.store.CreateApplication(t.Context(), conf.Application{Name: name})
	if err != nil {
		return err
	}
	w.acks.Store(a.Revision, name)
	c, err := w.store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: name, Config: []byte(`{}`)})
	if err != nil {
		return err
	}
	w.acks.Store(c.Revision, name)
	w.count.Add(2)
	return nil
}

func (w *crashWriters) verify(t *testing.T) {
	t.Helper()
	var last int64
	var found conf.Stats
	for {
		txs, err := w.store.Changes(t.Context(), last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(txs) == 0 {
			break
		}
		for _, tx := range txs {
			if tx.Revision != last+1 || len(tx.Changes) != 1 {
				t.Errorf("revision %d with %d changes follows %d", tx.Revision, len(tx.Changes), last)
			}
			last = tx.Revision
			if name, ok := w.acks.LoadAndDelete(tx.Revision); ok && name != tx.Changes[0].Name {
				t.Errorf("revision %d was acknowledged for %v and is of %s", tx.Revision, name, tx.Changes[0].Name)
			}
			if tx.Changes[0].ConfigurationID == "" {
				found.Applications++
			} else {
				found.Configurations++
			}
		}
	}
	found.Revision = last
	w.acks.Range(func(revision, name any) bool {
		t.Errorf("revision %v of %v was acknowledged and is gone", revision, name)
		return true
	})
	if st, err := w.store.Stats(t.Context()); err != nil || st != found {
		t.Errorf("the totals are %+v (%v), and %+v is there", st, err, found)
	}
}
