package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// together makes n calls at once and returns their answers.
func (a *api) together(n int, next func(i int) call) []answer {
	a.t.Helper()
	answers, errs := make([]answer, n), make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			answers[i], errs[i] = a.tryDo(next(i))
		})
	}
	close(start)
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		a.t.Fatal(err)
	}
	return answers
}

// count tells how many answers have each status.
func count(answers []answer) map[int]int {
	n := map[int]int{}
	for _, got := range answers {
		n[got.status]++
	}
	return n
}

func concurrentWriters(t *testing.T, c *contract) {
	a := serve(t, c)
	a.run("one of a hundred wins each round", func(t *testing.T, a *api) { compareAndSet(t, a) })
	a.run("one of a hundred wins, be it a rollback or an update", func(t *testing.T, a *api) { rollbackAgainstUpdate(t, a) })
	a.run("no blind rollback is lost", func(t *testing.T, a *api) { blindRollbacks(t, a) })
	a.run("one of fifty gets the name", func(t *testing.T, a *api) { raceForName(t, a) })
	a.run("no blind write is lost", func(t *testing.T, a *api) { blindWrites(t, a) })
	a.run("one of twenty deletes", func(t *testing.T, a *api) { raceToDelete(t, a) })
}

func compareAndSet(t *testing.T, a *api) {
	const writers, rounds = 100, 5
	now := a.createConfiguration(a.createApplication("contended"), "flags", `{"winner":-1}`)
	path := "/api/v1/configurations/" + now.ID
	for round := range rounds {
		tag := `"` + strconv.FormatInt(now.Revision, 10) + `"`
		answers := a.together(writers, func(i int) call {
			method := []string{"PUT", "PATCH"}[i%2]
			return call{method: method, path: path, body: fmt.Sprintf(`{"config":{"winner":%d}}`, i), header: map[string]string{"If-Match": tag}}
		})
		equal(t, "how the writers fared", count(answers), map[int]int{200: 1, 412: writers - 1})
		winner := slices.IndexFunc(answers, func(got answer) bool { return got.status == http.StatusOK })
		if winner < 0 {
			t.Fatal("nobody won")
		}
		now = a.configuration(now.ID)
		equal(t, "what the winner was answered", decode[configuration](t, answers[winner]), now)
		equal(t, "version", now.Version, int64(round+2))
		equal(t, "config", string(now.Config), fmt.Sprintf(`{"winner":%d}`, winner))
	}
}

// A rollback that was decided on what has changed since must not undo the
// change, nor the other way about.
func rollbackAgainstUpdate(t *testing.T, a *api) {
	const writers, rounds = 100, 5
	now := a.createConfiguration(a.createApplication("rolled back"), "flags", `{"first":true}`)
	path := "/api/v1/configurations/" + now.ID
	for range rounds {
		tag := map[string]string{"If-Match": `"` + strconv.FormatInt(now.Revision, 10) + `"`}
		answers := a.together(writers, func(i int) call {
			if i%2 == 0 {
				return call{method: "POST", path: path + "/rollback", body: `{"version":1}`, header: tag}
			}
			return call{method: "PUT", path: path, body: fmt.Sprintf(`{"config":{"winner":%d}}`, i), header: tag}
		})
		equal(t, "how the writers fared", count(answers), map[int]int{200: 1, 412: writers - 1})
		winner := slices.IndexFunc(answers, func(got answer) bool { return got.status == http.StatusOK })
		if winner < 0 {
			t.Fatal("nobody won")
		}
		want := `{"first":true}`
		if winner%2 == 1 {
			want = fmt.Sprintf(`{"winner":%d}`, winner)
		}
		before := now.Version
		now = a.configuration(now.ID)
		equal(t, "config", string(now.Config), want)
		equal(t, "version", now.Version, before+1)
	}
}

// Each makes a version of its own, with the config of the one asked for.
func blindRollbacks(t *testing.T, a *api) {
	const writers = 50
	made := a.createConfiguration(a.createApplication("blindly rolled back"), "flags", `{"v":1}`)
	a.put(made.ID, `{"config":{"v":2}}`)
	path := "/api/v1/configurations/" + made.ID
	answers := a.together(writers, func(i int) call {
		return call{method: "POST", path: path + "/rollback", body: fmt.Sprintf(`{"version":%d}`, i%2+1)}
	})
	equal(t, "how the writers fared", count(answers), map[int]int{200: writers})
	for i, got := range answers {
		after := decode[configuration](t, got)
		kept := decode[version](t, a.get(fmt.Sprintf("%s/versions/%d", path, after.Version)))
		equal(t, "the version that was answered", kept, versionOf(after))
		equal(t, "config", string(after.Config), fmt.Sprintf(`{"v":%d}`, i%2+1))
	}
	equal(t, "how many versions there are", decode[page[version]](t, a.get(path+"/versions")).Total, writers+2)
}

func raceForName(t *testing.T, a *api) {
	const writers = 50
	answers := a.together(writers, func(int) call {
		return call{method: "POST", path: "/api/v1/applications", body: `{"name":"the one"}`}
	})
	equal(t, "how the writers fared", count(answers), map[int]int{201: 1, 409: writers - 1})
	equal(t, "how many there are", decode[page[application]](t, a.get("/api/v1/applications?name=the+one")).Total, 1)
}

// Each blind patch adds a member: all must be there in the end, and every
// version and revision must have been given out once.
func blindWrites(t *testing.T, a *api) {
	const writers = 100
	made := a.createConfiguration(a.createApplication("blind"), "flags", `{}`)
	answers := a.together(writers, func(i int) call {
		return call{method: "PATCH", path: "/api/v1/configurations/" + made.ID, body: fmt.Sprintf(`{"config":{"w%d":true}}`, i)}
	})
	versions, revisions := map[int64]bool{}, map[int64]bool{}
	for _, got := range answers {
		after := decode[configuration](t, got)
		versions[after.Version], revisions[after.Revision] = true, true
	}
	for v := int64(2); v <= writers+1; v++ {
		if !versions[v] {
			t.Errorf("no writer was answered version %d", v)
		}
	}
	equal(t, "how many revisions were given out", len(revisions), writers)
	last := a.configuration(made.ID)
	equal(t, "the last version", last.Version, int64(writers+1))
	var members map[string]bool
	if err := json.Unmarshal(last.Config, &members); err != nil {
		t.Fatal(err)
	}
	equal(t, "how many writes are there", len(members), writers)
}

func raceToDelete(t *testing.T, a *api) {
	const writers = 20
	made := a.createConfiguration(a.createApplication("doomed"), "flags", `{}`)
	answers := a.together(writers, func(int) call {
		return call{method: "DELETE", path: "/api/v1/configurations/" + made.ID}
	})
	equal(t, "how the writers fared", count(answers), map[int]int{204: 1, 404: writers - 1})
}
