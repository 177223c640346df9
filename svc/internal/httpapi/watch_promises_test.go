package httpapi_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"configservice/internal/testwait"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// tinyRing keeps no more than one event, so that whoever is not up to date
// must read the past.
const tinyRing = 1

// watched starts a service whose calls are not held against the contract: the
// suite does that, and a stream has no end to be held against.
func watched(t *testing.T, store conf.Store, fo watch.Options, wo httpapi.WatchOptions) *api {
	t.Helper()
	fo.Source = store
	wo.Feed = startTold(t, fo)
	return serveWith(t, loadContract(t), httpapi.Options{Store: store, Watch: wo})
}

func TestWatcherMissesRepeatsOrSwapsAChange(t *testing.T) {
	const writers, writes, watchers = 6, 20, 4
	const last = writers*(writes+1) + writers // each makes an application and a configuration first
	a := watched(t, openStore(t), watch.Options{Memory: 4 << 10}, httpapi.WatchOptions{})
	var all sync.WaitGroup
	seen := make([][]int64, watchers)
	for i := range watchers {
		all.Go(func() { seen[i] = restlessWatch(t, a, last) })
	}
	for i := range writers {
		all.Go(func() {
			app := a.createApplication(fmt.Sprint("app ", i))
			c := a.createConfiguration(app, "flags", `{}`)
			for n := range writes {
				a.want(200, call{method: "PUT", path: "/api/v1/configurations/" + c.ID, body: fmt.Sprintf(`{"config":{"n":%d}}`, n)})
			}
		})
	}
	all.Wait()
	var want []int64
	for revision := range int64(last) {
		want = append(want, revision+1)
	}
	for i := range watchers {
		equal(t, fmt.Sprint("what watcher ", i, " saw"), seen[i], want)
	}
}

// restlessWatch watches from the beginning until it has seen last. It goes away
// again and again, and resumes with the last id.
func restlessWatch(t *testing.T, a *api, last int64) (seen []int64) {
	id := "0"
	for len(seen) == 0 || seen[len(seen)-1] < last {
		ws, err := openWatch(t, a.server.URL+"/api/v1/watch", id)
		if err != nil {
			t.Error(err)
			return seen
		}
		for range 1 + rand.N(30) {
			e, err := ws.read()
			if e.kind == "slow-consumer" {
				break // the next attempt resumes
			}
			if err != nil {
				t.Errorf("after %v: %v", seen, err)
				return seen
			}
			if e.kind == "change" {
				revision, _ := strconv.ParseInt(e.id, 10, 64)
				if seen = append(seen, revision); revision == last {
					break
				}
			}
		}
		id = ws.lastID
		ws.close()
	}
	return seen
}

func TestDeleteOfAnApplicationArrivesInPieces(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{}, httpapi.WatchOptions{})
	app := a.createApplication("checkout")
	const n = 5
	for i := range n {
		a.createConfiguration(app, fmt.Sprint("flags ", i), `{}`)
	}
	a.settle(n + 1)
	live, past := a.watch("", ""), a.watch("", strconv.Itoa(n+1))
	a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/applications/" + app.ID})
	for _, ws := range []*watching{live, past} {
		tx := ws.change()
		if len(tx.Changes) != n+1 {
			t.Errorf("one event with %d changes, want all %d", len(tx.Changes), n+1)
		}
		for _, c := range tx.Changes {
			if c.Operation != "delete" || c.ApplicationID != app.ID {
				t.Errorf("want deletes of one application, got %+v", c)
			}
		}
	}
}

func TestResumeIsLostWhereMemoryEnds(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{Memory: tinyRing}, httpapi.WatchOptions{})
	const n = 50
	for i := range n {
		a.createApplication(fmt.Sprint("app ", i))
	}
	for _, since := range []int64{0, 1, n / 2, n - 1} {
		ws := a.watch("?since="+strconv.FormatInt(since, 10), "")
		for revision := since + 1; revision <= n; revision++ {
			equal(t, "revision", ws.change().Revision, revision)
		}
		ws.close()
	}
	header := a.watch("?since=0", strconv.Itoa(n-1)) // the header is what the client knows last
	equal(t, "revision", header.change().Revision, int64(n))
}

func TestResumeIsLostWithTheProcess(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "config.db")
	var id string
	for round := range int64(3) {
		store, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint("process ", round), func(t *testing.T) {
			a := watched(t, store, watch.Options{}, httpapi.WatchOptions{})
			if round > 0 {
				ws := a.watch("", id)
				equal(t, "revision", ws.change().Revision, 2*round) // made when nobody watched
				ws.close()
			}
			ws := a.watch("", "")
			a.createApplication(fmt.Sprint("seen ", round))
			equal(t, "revision", ws.change().Revision, 2*round+1)
			id = ws.lastID
			ws.close()
			a.createApplication(fmt.Sprint("not seen ", round))
		})
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdleWatcherDoesNotLearnHowCurrentItIs(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{Memory: tinyRing}, httpapi.WatchOptions{Bookmark: 5 * time.Millisecond})
	mine, other := a.createApplication("mine"), a.createApplication("other")
	a.settle(other.Revision)
	ws := a.watch("?application=mine", "")
	first := ws.any()
	wantEvent(t, "the first event", first, event{id: "2", kind: "bookmark", data: `{"revision":2}`})
	for i := range 20 {
		a.createConfiguration(other, fmt.Sprint("flags ", i), `{}`)
	}
	testwait.Until(t, "a bookmark of the last revision", func() bool { return ws.any() == event{"22", "bookmark", `{"revision":22}`} })
	made := a.createConfiguration(mine, "flags", `{}`)
	resumed := a.watch("?application_id="+mine.ID, "22")
	equal(t, "revision after the bookmark", resumed.change().Revision, made.Revision)
	equal(t, "revision of who stayed", ws.change().Revision, made.Revision)
}

func TestScopeLetsOthersThrough(t *testing.T) {
	a := watched(t, openStore(t), watch.Options{}, httpapi.WatchOptions{})
	mine, other := a.createApplication("mine"), a.createApplication("other")
	a.settle(other.Revision)
	live, past, all := a.watch("?application_id="+mine.ID, ""), a.watch("?application=mine&since=0", ""), a.watch("?since=0", "")
	want := []int64{mine.Revision}
	for i := range 3 {
		a.createConfiguration(other, fmt.Sprint("flags ", i), `{}`)
		want = append(want, a.createConfiguration(mine, fmt.Sprint("flags ", i), `{}`).Revision)
	}
	for _, revision := range want {
		equal(t, "revision of the past", past.change().Revision, revision)
		if revision != mine.Revision {
			equal(t, "revision", live.change().Revision, revision)
		}
	}
	for revision := range int64(8) {
		equal(t, "revision of all", all.change().Revision, revision+1)
	}
}

func TestForgottenHistoryIsSilence(t *testing.T) {
	store := openStore(t)
	a := watched(t, store, watch.Options{Memory: tinyRing}, httpapi.WatchOptions{})
	app := a.createApplication("checkout")
	c := a.createConfiguration(app, "flags", `{}`)
	for i := range 5 {
		a.want(200, call{method: "PUT", path: "/api/v1/configurations/" + c.ID, body: fmt.Sprintf(`{"config":{"n":%d}}`, i)})
	}
	if err := store.Prune(context.Background(), conf.Retention{Versions: 1, Age: -time.Hour, Audit: -time.Hour}); err != nil {
		t.Fatal(err)
	}
	ws := a.watch("", "1")
	wantEvent(t, "the event", ws.next(), event{"7", "resync", `{"revision":7}`})
	a.createApplication("after")
	equal(t, "what comes after the resync", ws.change().Revision, int64(8))
	resumed := a.watch("", "7")
	equal(t, "what a resume after the resync gets", resumed.change().Revision, int64(8))
}
