package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"configservice/svc/internal/pgtest"
)

var killCycles = flag.Int("kill-cycles", 200, "how often the durability test kills the service; a quarter as often on PostgreSQL")

// A service that is killed in the middle of concurrent writes, again and again,
// keeps every write that it has acknowledged, none by half, and never reuses a
// revision. A watcher that resumes misses nothing and sees nothing twice.
func TestAcknowledgedWritesSurviveSIGKILL(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "store.db")
	k := newKilled(t, url)
	for acks := range kills(*killCycles) {
		k.verify(t)
		k.writeUntil(t, acks, func() { k.process.kill(t) })
		k.restart(t)
	}
	k.finish(t)
}

// The same on PostgreSQL, where the database is killed as well: every second
// time, and then the service has to find back by itself.
func TestAcknowledgedWritesSurviveTheDeathOfPostgreSQL(t *testing.T) {
	cluster := pgtest.New(t)
	url := cluster.Database(t)
	k := newKilled(t, url)
	database := false
	for acks := range kills(*killCycles / 4) {
		k.verify(t)
		if database = !database; database {
			k.writeUntil(t, acks, func() { cluster.Kill(t) })
			cluster.Start(t)
			k.process.awaitReady(t)
		} else {
			k.writeUntil(t, acks, func() { k.process.kill(t) })
			died := time.Now()
			k.restart(t)
			awaitEnd(t, url, died)
		}
	}
	k.finish(t)
}

// awaitEnd waits until PostgreSQL has ended what it was doing for a service that
// has died: until then one more of its writes may be committed, after a read
// that did not see it.
func awaitEnd(t *testing.T, url string, died time.Time) {
	t.Helper()
	session := connect(t, url)
	until(t, session, `SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity
		WHERE application_name = 'config-service' AND backend_start < $1)`, died)
	if err := session.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// killed is a service that is killed and started again, those who write to it,
// and one who watches.
type killed struct {
	*process
	writers
	*follower
	binary, url string
}

func newKilled(t *testing.T, url string) *killed {
	t.Helper()
	k := &killed{follower: newFollower(), binary: buildService(t), url: url}
	k.restart(t)
	return k
}

func (k *killed) restart(t *testing.T) {
	t.Helper()
	k.running.Wait() // the watcher has seen that the old one is gone
	k.process = startBinary(t, k.binary, "--database-url", k.url)
	k.follow(k.process)
}

// finish looks at everything once more.
func (k *killed) finish(t *testing.T) {
	t.Helper()
	k.verify(t)
	k.want(t, k.revision)
	k.tell(t)
}

// buildService builds the program without the race detector, whose start takes
// longer than all that a cycle does.
func buildService(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "config-service")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// kills yields after how many acknowledgements to kill: the same in each run,
// while the scheduler varies the rest.
func kills(cycles int) iter.Seq[int] {
	random := rand.New(rand.NewPCG(1, 2))
	return func(yield func(int) bool) {
		for range cycles {
			if !yield(1 + random.IntN(40)) {
				return
			}
		}
	}
}

func (p *process) kill(t *testing.T) {
	p.Process.Signal(syscall.SIGKILL)
	p.wait(t)
}

// awaitReady waits until the service has its database back.
func (p *process) awaitReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		resp, err := http.Get(p.url("/readyz"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the service does not find back to its database")
		}
	}
}

// writers update a configuration each, and know what was acknowledged.
type writers struct {
	all      []*writer
	revision int64 // the highest acknowledged
}

type writer struct {
	id    string
	acked record
}

// A record is what these tests look at in an answer.
type record struct {
	ID       string
	Version  int64
	Revision int64
	Config   struct{ N int64 }
}

const concurrentWriters = 8

// writeUntil lets all write at once, and kills with the acks-th acknowledgement,
// while the others have writes in flight.
func (k *killed) writeUntil(t *testing.T, acks int, kill func()) {
	t.Helper()
	if k.all == nil {
		k.create(t, k.process)
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	enough, failed := make(chan struct{}), make(chan error, len(k.all))
	for _, one := range k.all {
		group.Go(func() {
			for {
				got, err := one.update(k.process)
				if err != nil { // killed; what was in flight may be kept or not
					failed <- err
					return
				}
				mu.Lock()
				k.acknowledge(t, one, got)
				if acks--; acks == 0 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case err := <-failed:
		t.Fatalf("a write failed before anything was killed: %v", err)
	}
	kill()
	group.Wait()
}

func (w *writers) create(t *testing.T, p *process) {
	t.Helper()
	application, err := send(p, http.MethodPost, "/applications", `{"name":"shop"}`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range concurrentWriters {
		body := fmt.Sprintf(`{"application_id":%q,"name":"c%d","config":{"n":1}}`, application.ID, i)
		c, err := send(p, http.MethodPost, "/configurations", body)
		if err != nil {
			t.Fatal(err)
		}
		w.all = append(w.all, &writer{id: c.ID, acked: c})
		w.revision = c.Revision
	}
}

// update writes a number that equals the version that it makes, unless writes
// get lost.
func (one *writer) update(p *process) (record, error) {
	return send(p, http.MethodPut, "/configurations/"+one.id, fmt.Sprintf(`{"config":{"n":%d}}`, one.acked.Version+1))
}

// tell says what the test has been through.
func (w *writers) tell(t *testing.T) {
	var updates int64
	for _, one := range w.all {
		updates += one.acked.Version
	}
	t.Logf("%d updates were kept, the last revision is %d", updates, w.revision)
}

func (w *writers) acknowledge(t *testing.T, one *writer, got record) {
	t.Helper()
	if got.Version != one.acked.Version+1 || got.Revision <= one.acked.Revision {
		t.Errorf("after %+v was acknowledged, the next is %+v", one.acked, got)
	}
	one.acked = got
	w.revision = max(w.revision, got.Revision)
}

// verify reads everything back. One write of each writer may have been in
// flight: it is there wholly or not at all.
func (k *killed) verify(t *testing.T) {
	t.Helper()
	var revisions []int64
	for _, one := range k.all {
		got, err := send(k.process, http.MethodGet, "/configurations/"+one.id, "")
		if err != nil {
			t.Fatal(err)
		}
		kept, inFlight := got == one.acked, got.Version == one.acked.Version+1 && got.Revision > one.acked.Revision
		if !kept && !inFlight || got.Config.N != got.Version {
			t.Fatalf("%+v was acknowledged, now it is %+v", one.acked, got)
		}
		one.acked = got
		k.revision = max(k.revision, got.Revision)
		revisions = append(revisions, got.Revision)
		k.verifyHistory(t, got)
	}
	slices.Sort(revisions)
	if len(slices.Compact(revisions)) != len(k.all) {
		t.Errorf("two configurations have the same revision: %v", revisions)
	}
}

// verifyHistory holds the change that made got against got: both are of one
// transaction.
func (k *killed) verifyHistory(t *testing.T, got record) {
	t.Helper()
	path := fmt.Sprintf("/configurations/%s/versions/%d", got.ID, got.Version)
	change, err := send(k.process, http.MethodGet, path, "")
	if err != nil || change.Revision != got.Revision || change.Config != got.Config {
		t.Errorf("the history of %+v has %+v (%v)", got, change, err)
	}
}

func send(p *process, method, path, body string) (r record, err error) {
	req, err := http.NewRequest(method, p.url("/api/v1"+path), bytes.NewBufferString(body))
	if err != nil {
		return r, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(resp.Body)
		return r, fmt.Errorf("%s %s answered %s: %s", method, path, resp.Status, text)
	}
	return r, json.NewDecoder(resp.Body).Decode(&r)
}
