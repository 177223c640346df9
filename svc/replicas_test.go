package main

import (
	"fmt"
	"net/http"
	"testing"

	"configservice/svc/internal/pgtest"
)

// Three replicas on one PostgreSQL, and a client that takes each in turn: what
// is written through one is seen by the watchers of all, and the death of one
// loses nothing.
func TestWatchersOfEveryReplicaSeeWhatIsWrittenThroughAny(t *testing.T) {
	url := pgtest.New(t).Database(t)
	var replicas []*process
	var watchers []*follower
	for range 3 {
		p := start(t, "--database-url", url)
		f := newFollower()
		f.follow(p)
		replicas, watchers = append(replicas, p), append(watchers, f)
	}
	var revision int64
	write := func(n int) {
		for i := range n {
			a, err := send(replicas[i%len(replicas)], http.MethodPost, "/applications", fmt.Sprintf(`{"name":"app%d"}`, revision))
			if err != nil {
				t.Fatal(err)
			}
			revision = a.Revision
		}
	}
	wantAll := func() {
		for _, f := range watchers {
			f.want(t, revision)
		}
	}
	write(60)
	wantAll()

	replicas[0].kill(t)
	watchers[0].running.Wait()
	replicas = replicas[1:]
	write(30)
	watchers[0].follow(replicas[0])
	write(30)
	wantAll()
	if revision != 120 {
		t.Errorf("120 writes took the revision to %d", revision)
	}
}
