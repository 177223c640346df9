package httpapi_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Each write is made with each form of If-Match, on a resource of its own.
func preconditionsOnWrites(t *testing.T, c *contract) {
	a := serve(t, c)
	serial := 0
	newApplication := func() (string, int64) {
		serial++
		app := a.createApplication("app " + strconv.Itoa(serial))
		return "/api/v1/applications/" + app.ID, app.Revision
	}
	owner := a.createApplication("owner")
	newConfiguration := func() (string, int64) {
		serial++
		made := a.createConfiguration(owner, "config "+strconv.Itoa(serial), `{}`)
		return "/api/v1/configurations/" + made.ID, made.Revision
	}
	for _, write := range []struct {
		name, method, body string
		create             func() (path string, revision int64)
	}{
		{"PUT application", "PUT", `{"comments":"written"}`, newApplication},
		{"DELETE application", "DELETE", "", newApplication},
		{"PUT configuration", "PUT", `{"comments":"written"}`, newConfiguration},
		{"PATCH configuration", "PATCH", `{"comments":"written"}`, newConfiguration},
		{"rollback", "POST", `{"version":1}`, func() (string, int64) {
			path, revision := newConfiguration()
			return path + "/rollback", revision
		}},
		{"DELETE configuration", "DELETE", "", newConfiguration},
	} {
		for _, tc := range matchCases() {
			path, revision := write.create()
			tag := strconv.FormatInt(revision, 10)
			request := call{method: write.method, path: path, body: write.body,
				header: map[string]string{"If-Match": strings.ReplaceAll(tc.header, "NOW", tag)}}
			name := write.name + " if it matches " + tc.header
			if !tc.matches {
				a.refuses(t, []refusal{{name: name, call: request, status: 412, code: "precondition_failed"}})
				continue
			}
			a.run(name, func(t *testing.T, a *api) {
				if got := a.do(request); got.status >= 300 {
					t.Errorf("answered %d: %s", got.status, got.body)
				}
			})
		}
	}
}

// A matchCase is one form of If-Match; NOW stands for the revision that the
// resource has.
type matchCase struct {
	header  string
	matches bool
}

func matchCases() []matchCase {
	return []matchCase{
		{`"NOW"`, true},
		{`*`, true},
		{`"x", "NOW"`, true},
		{`"x","NOW","y"`, true},
		{`"a,b" , "NOW"`, true},
		{`"x"`, false},
		{`"0"`, false},
		{`"NOW0"`, false},
		{`""`, false},
		{`W/"NOW"`, false}, // weak, and If-Match compares strongly
		{`W/"x", "NOW"`, true},
		{`NOW`, false}, // no tag without its quotes
		{`'NOW'`, false},
		{`"*"`, false},
		{`"a, "NOW`, false},
		{`"x,*,y"`, false}, // one tag, with commas in it
	}
}

func preconditionsOnReads(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	made := a.createConfiguration(owner, "flags", `{}`)
	tag := strconv.FormatInt(made.Revision, 10)
	for _, path := range []string{"/api/v1/applications/" + owner.ID, "/api/v1/configurations/" + made.ID, "/api/v1/config/checkout/flags"} {
		for _, tc := range []struct {
			header string
			status int
		}{
			{`"NOW"`, 304},
			{`*`, 304},
			{`W/"NOW"`, 304}, // If-None-Match compares weakly
			{`"x", "NOW"`, 304},
			{`W/"x",W/"NOW"`, 304},
			{`"x"`, 200},
			{`NOW`, 200},
			{`"*"`, 200},
			{`"NOW0", "0"`, 200},
			{``, 200},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				a.run(method+" "+path+" unless it matches "+tc.header, func(t *testing.T, a *api) {
					got := a.want(tc.status, call{method: method, path: path,
						header: map[string]string{"If-None-Match": strings.ReplaceAll(tc.header, "NOW", tag)}})
					equal(t, "ETag", got.header.Get("ETag"), `"`+tag+`"`)
				})
			}
		}
	}
	a.run("a change shows at once", func(t *testing.T, a *api) { changeShows(t, a, made) })
}

// A client that polls with the tag it has must see every change, and none
// where there was none.
func changeShows(t *testing.T, a *api, made configuration) {
	path := "/api/v1/config/checkout/flags"
	tag := a.get(path).header.Get("ETag")
	for _, body := range []string{`{"config":{"a":1}}`, `{"comments":"x"}`, `{"config":{"a":1}}`} {
		a.want(http.StatusNotModified, call{method: "GET", path: path, header: map[string]string{"If-None-Match": tag}})
		a.want(http.StatusOK, call{method: "PUT", path: "/api/v1/configurations/" + made.ID, body: body})
		changed := a.want(http.StatusOK, call{method: "GET", path: path, header: map[string]string{"If-None-Match": tag}})
		tag = changed.header.Get("ETag")
	}
	a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/configurations/" + made.ID, header: map[string]string{"If-Match": tag}})
	again := a.createConfiguration(application{ID: made.ApplicationID}, "flags", `{"a":1}`)
	got := a.want(http.StatusOK, call{method: "GET", path: path, header: map[string]string{"If-None-Match": tag}})
	equal(t, "the namesake of what was deleted", decode[configuration](t, got), again)
}
