package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/watch"
)

// An onWatching calls fn whenever a watch begins.
type onWatching struct {
	fn func(transport string)
}

func (o onWatching) Watching(transport string) func() { o.fn(transport); return func() {} }
func (onWatching) Event(string)                       {}
func (onWatching) Propagated(time.Duration)           {}

func (onWatching) Delivering(context.Context) func(int64, time.Time, time.Time) { return nil }

// watchRequests holds what a watch answers against the contract. A stream is read
// to its end, which comes because the service stops.
func watchRequests(t *testing.T, c *contract) {
	store := openStore(t)
	feed := startTold(t, watch.Options{Source: store})
	a := serveWith(t, c, httpapi.Options{Store: store, Watch: httpapi.WatchOptions{
		Feed: feed, RevisionTimeout: 20 * time.Millisecond, Observer: onWatching{func(string) { feed.Stop() }}}})
	app := a.createApplication("check/out")
	a.createConfiguration(app, "flags", `{"a":12.50}`)
	refuseWatches(t, a, app)
	a.run("the stream, and its head alone", func(t *testing.T, a *api) {
		head := a.want(200, call{method: "HEAD", path: "/api/v1/watch?since=0"})
		got := a.want(200, call{method: "GET", path: "/api/v1/watch?application=check%2Fout&since=0"})
		if !strings.Contains(got.body, "retry: ") || !strings.Contains(got.body, "\n: the stream ends here") {
			t.Errorf("the stream neither begins with a retry nor ends with a comment:\n%s", got.body)
		}
		head.header.Del("Date")
		got.header.Del("Date")
		equal(t, "headers", head.header, got.header)
	})
	a.run("none while stopping", func(t *testing.T, a *api) {
		got := a.want(503, call{method: "GET", path: "/api/v1/watch"})
		equal(t, "Retry-After", got.header.Get("Retry-After"), "1")
	})
}

func refuseWatches(t *testing.T, a *api, app application) {
	for _, tc := range []struct {
		query, lastID string
		status        int
		pointer       string
		beyond        string
	}{
		{"?since=x", "", 422, "/since", ""},
		{"?since=-1", "", 422, "/since", ""},
		{"?since=99999999999999999999", "", 422, "/since", ""},
		{"?since=007", "", 422, "/since", "a number in a form of its own"},
		{"?since=3", "", 422, "/since", "it has not come yet"},
		{"?since=1", "9223372036854775807", 422, "/since", "it has not come yet"},
		{"", "soon", 422, "/since", ""},
		{"?application_id=x", "", 422, "/application_id", ""},
		{"?application=x&application_id=" + app.ID, "", 422, "/application", "two names"},
		{"?application_id=" + absent, "", 404, "", ""},
		{"?application=checkout", "", 404, "", ""},
	} {
		a.run(fmt.Sprintf("%s after %q", tc.query, tc.lastID), func(t *testing.T, a *api) {
			got := a.want(tc.status, call{method: "GET", path: "/api/v1/watch" + tc.query, beyond: tc.beyond,
				header: map[string]string{"Last-Event-ID": tc.lastID}})
			if p := decode[problem](t, got); tc.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != tc.pointer) {
				t.Errorf("want a problem of %s, got %s", tc.pointer, got.body)
			}
		})
	}
}

// longPolls waits for news of one configuration.
func longPolls(t *testing.T, c *contract) {
	waiting := make(chan string, 100)
	a := serveWith(t, c, httpapi.Options{Store: openStore(t), Watch: httpapi.WatchOptions{Observer: onWatching{func(transport string) { waiting <- transport }}}})
	app := a.createApplication("checkout")
	one := a.createConfiguration(app, "flags", `{}`)
	byID, byName := "/api/v1/configurations/"+one.ID, "/api/v1/config/checkout/flags"
	tag := map[string]string{"If-None-Match": `"` + strconv.FormatInt(one.Revision, 10) + `"`}

	a.run("refused", func(t *testing.T, a *api) { refuseWaits(t, a, byID, byName) })
	a.run("nothing new", func(t *testing.T, a *api) {
		for _, c := range []call{
			{method: "GET", path: byID + "?wait=1ms&version=1"}, {method: "GET", path: byID + "?version=1"},
			{method: "GET", path: byID + "?wait=0s&version=7"}, {method: "GET", path: byID + "?wait=1ms", header: tag},
			{method: "GET", path: byName + "?wait=1ms", header: tag}, {method: "HEAD", path: byID + "?wait=1ms&version=1"},
		} {
			got := a.want(304, c)
			equal(t, "ETag", got.header.Get("ETag"), tag["If-None-Match"])
		}
	})
	a.run("news already", func(t *testing.T, a *api) {
		a.want(200, call{method: "GET", path: byName + "?wait=1m&min_revision=" + strconv.FormatInt(one.Revision, 10),
			header: map[string]string{"If-None-Match": `"1"`}})
	})
	for len(waiting) > 0 {
		<-waiting
	}
	a.run("news to come", func(t *testing.T, a *api) { newsToCome(t, a, waiting, one, byID, byName) })
}

func newsToCome(t *testing.T, a *api, waiting chan string, one configuration, byID, byName string) {
	for _, news := range []struct {
		call   call
		status int
	}{
		{call{method: "PUT", path: byID, body: `{"config":{"a":1}}`}, 200},
		{call{method: "DELETE", path: byID}, 404},
	} {
		now := a.configuration(one.ID)
		tag := map[string]string{"If-None-Match": `"` + strconv.FormatInt(now.Revision, 10) + `"`}
		polls := []call{
			{method: "GET", path: byID + "?wait=1m&version=" + strconv.FormatInt(now.Version, 10)},
			{method: "GET", path: byID + "?wait=60s", header: tag},
			{method: "GET", path: byName + "?wait=60s", header: tag},
		}
		answers := make(chan answer, len(polls))
		for _, poll := range polls {
			go func() {
				got, err := a.tryDo(poll)
				if err != nil {
					t.Error(err)
				}
				answers <- got
			}()
		}
		for range polls {
			equal(t, "transport", <-waiting, "long_poll")
		}
		a.do(news.call)
		for range polls {
			if got := <-answers; got.status != news.status {
				t.Errorf("after a %s the poll answered %d: %s", news.call.method, got.status, got.body)
			}
		}
	}
}

func refuseWaits(t *testing.T, a *api, byID, byName string) {
	for _, tc := range []struct{ path, pointer, beyond string }{
		{byID + "?wait=soon&version=1", "/wait", ""},
		{byID + "?wait=-1s&version=1", "/wait", ""},
		{byID + "?wait=30&version=1", "/wait", ""},
		{byID + "?wait=1h&version=1", "/wait", ""},
		{byID + "?wait=61s&version=1", "/wait", "more than a minute"},
		{byID + "?wait=99999999999999999999s&version=1", "/wait", "more than a minute"},
		{byID + "?wait=1s&version=0", "/version", ""},
		{byID + "?wait=1s&version=x", "/version", ""},
		{byID + "?wait=1s", "/version", "nothing is known"},
		{byID + "?wait=1s&version=1&at=1", "/at", "the past has no news"},
		{byName + "?wait=1s", "/wait", "nothing is known"},
		{byName + "?wait=1s&version=1", "/version", "a version does not tell which"},
	} {
		a.run(tc.path, func(t *testing.T, a *api) {
			p := decode[problem](t, a.want(422, call{method: "GET", path: tc.path, beyond: tc.beyond}))
			if len(p.Errors) != 1 || p.Errors[0].Pointer != tc.pointer {
				t.Errorf("want a problem of %s, got %+v", tc.pointer, p.Errors)
			}
		})
	}
}

// leastRevisions asks every read for what it must not be older than.
func leastRevisions(t *testing.T, c *contract) {
	store := openStore(t)
	feed := startFeed(t, watch.Options{Source: store, Poll: time.Hour}) // what is not asked for comes too late
	a := serveWith(t, c, httpapi.Options{Store: store, Watch: httpapi.WatchOptions{Feed: feed, RevisionTimeout: 50 * time.Millisecond}})
	app := a.createApplication("checkout")
	one := a.createConfiguration(app, "flags", `{}`)
	for _, path := range []string{
		"/api/v1/applications", "/api/v1/applications/" + app.ID, "/api/v1/applications/" + app.ID + "/configurations",
		"/api/v1/configurations", "/api/v1/configurations/" + one.ID, "/api/v1/configurations/" + one.ID + "/versions",
		"/api/v1/configurations/" + one.ID + "/versions/1", "/api/v1/audit", "/api/v1/config/checkout/flags",
	} {
		a.run(path, func(t *testing.T, a *api) {
			// Nobody woke the feed: the read itself must make it look.
			last := a.createApplication(path).Revision
			a.get(path + "?min_revision=" + strconv.FormatInt(last, 10))
			a.get(path + "?min_revision=0")
			a.want(http.StatusUnprocessableEntity, call{method: "GET", path: path + "?min_revision=x"})
			got := a.want(503, call{method: "GET", path: path + "?min_revision=" + strconv.FormatInt(last+1, 10)})
			equal(t, "code", decode[problem](t, got).Code, "unavailable")
			equal(t, "Retry-After", got.header.Get("Retry-After"), "1")
		})
	}
}
