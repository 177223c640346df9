package httpapi_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func applicationLifecycle(t *testing.T, c *contract) {
	a := serve(t, c)
	created := a.want(http.StatusCreated, call{method: "POST", path: "/api/v1/applications",
		body: `{"name": "checkout", "comments": "Takes the money"}`})
	app := decode[application](t, created)
	path := "/api/v1/applications/" + app.ID
	equal(t, "Location", created.header.Get("Location"), path)
	equal(t, "what was created", app, application{ID: app.ID, Name: "checkout", Comments: new("Takes the money"), Revision: 1,
		CreatedAt: app.CreatedAt, UpdatedAt: app.CreatedAt, ConfigurationIDs: []string{}})
	if age := time.Since(app.CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created_at lies %v in the past", age)
	}
	checkWriteHeaders(t, created, app.Revision)

	read := a.get(path)
	equal(t, "what is read", decode[application](t, read), app)
	equal(t, "ETag", read.header.Get("ETag"), created.header.Get("ETag"))

	for _, step := range []struct {
		name, body, wantName string
		wantComments         *string
	}{
		{"the name alone", `{"name":"checkout-eu"}`, "checkout-eu", new("Takes the money")},
		{"the comments alone", `{"comments":"All of it"}`, "checkout-eu", new("All of it")},
		{"both", `{"name":"checkout","comments":""}`, "checkout", new("")},
		{"null clears the comments", `{"comments":null}`, "checkout", nil},
		{"its own name is free", `{"name":"checkout"}`, "checkout", nil},
		{"nothing", `{}`, "checkout", nil},
	} {
		a.run("PUT "+step.name, func(t *testing.T, a *api) {
			got := a.want(http.StatusOK, call{method: "PUT", path: path, body: step.body})
			after := decode[application](t, got)
			checkWriteHeaders(t, got, after.Revision)
			if after.Revision <= app.Revision || after.UpdatedAt.Before(app.UpdatedAt) {
				t.Errorf("it went from revision %d of %v to %d of %v", app.Revision, app.UpdatedAt, after.Revision, after.UpdatedAt)
			}
			app.Name, app.Comments, app.Revision, app.UpdatedAt = step.wantName, step.wantComments, after.Revision, after.UpdatedAt
			equal(t, "the answer", after, app)
			equal(t, "what is read afterwards", a.application(app.ID), app)
		})
	}

	gone := a.want(http.StatusNoContent, call{method: "DELETE", path: path})
	checkRevision(t, gone, app.Revision+1)
	a.want(http.StatusNotFound, call{method: "GET", path: path})
	a.want(http.StatusNotFound, call{method: "DELETE", path: path})
	if again := a.createApplication("checkout"); again.ID == app.ID {
		t.Error("an identifier was used twice")
	}
}

// checkWriteHeaders checks what a write tells of the resource's new revision.
func checkWriteHeaders(t *testing.T, got answer, revision int64) {
	t.Helper()
	equal(t, "ETag", got.header.Get("ETag"), `"`+strconv.FormatInt(revision, 10)+`"`)
	checkRevision(t, got, revision)
}

func checkRevision(t *testing.T, got answer, revision int64) {
	t.Helper()
	equal(t, "Config-Revision", got.header.Get("Config-Revision"), strconv.FormatInt(revision, 10))
}

// What an application owns is part of it: it shows it, in order of creation,
// it changes with it, and it takes it along.
func applicationOwnership(t *testing.T, c *contract) {
	a := serve(t, c)
	app, other := a.createApplication("checkout"), a.createApplication("search")
	survivor := a.createConfiguration(other, "flags", `{"keep":true}`)
	var owned []string
	for _, name := range []string{"zebra", "ape", "mole"} {
		before := a.application(app.ID)
		owned = append(owned, a.createConfiguration(app, name, `{}`).ID)
		after := a.application(app.ID)
		equal(t, "configuration_ids", after.ConfigurationIDs, owned)
		if after.Revision <= before.Revision {
			t.Errorf("a new configuration left the application at revision %d", after.Revision)
		}
	}
	listed := decode[page[application]](t, a.get("/api/v1/applications?name=checkout"))
	equal(t, "configuration_ids in the list", listed.Items[0].ConfigurationIDs, owned)

	before := a.application(app.ID)
	a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/configurations/" + owned[1]})
	after := a.application(app.ID)
	equal(t, "configuration_ids after one was deleted", after.ConfigurationIDs, slices.Delete(slices.Clone(owned), 1, 2))
	if after.Revision <= before.Revision {
		t.Errorf("a deleted configuration left the application at revision %d", after.Revision)
	}

	gone := a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/applications/" + app.ID})
	checkRevision(t, gone, after.Revision+1) // one transaction, whatever goes with it
	for _, path := range []string{
		"/api/v1/applications/" + app.ID,
		"/api/v1/applications/" + app.ID + "/configurations",
		"/api/v1/configurations?application_id=" + app.ID,
		"/api/v1/configurations/" + owned[0],
		"/api/v1/configurations/" + owned[2],
		"/api/v1/config/checkout/zebra",
	} {
		a.want(http.StatusNotFound, call{method: "GET", path: path})
	}
	left := decode[page[configuration]](t, a.get("/api/v1/configurations"))
	equal(t, "what is left", left, page[configuration]{Items: []configuration{survivor}, Total: 1, Limit: 50})
}

func applicationRefusals(t *testing.T, c *contract) {
	a := serve(t, c)
	app := a.createApplication("checkout")
	a.createApplication("search")
	one := "/api/v1/applications/" + app.ID
	cases := []refusal{
		{name: "a taken name", call: call{method: "POST", path: "/api/v1/applications", body: `{"name":"search"}`}, status: 409, code: "already_exists"},
		{name: "a name taken by another", call: call{method: "PUT", path: one, body: `{"name":"search"}`}, status: 409, code: "already_exists"},
		{name: "none there to change", call: call{method: "PUT", path: "/api/v1/applications/" + absent, body: `{"name":"x"}`}, status: 404, code: "not_found"},
		{name: "none there to change if it matches", call: call{method: "PUT", path: "/api/v1/applications/" + absent, body: `{}`, header: map[string]string{"If-Match": `"1"`}}, status: 404, code: "not_found"},
		{name: "none there to delete", call: call{method: "DELETE", path: "/api/v1/applications/" + absent}, status: 404, code: "not_found"},
		{name: "none there to read", call: call{method: "GET", path: "/api/v1/applications/" + absent}, status: 404, code: "not_found"},
		{name: "none there to list", call: call{method: "GET", path: "/api/v1/applications/" + absent + "/configurations"}, status: 404, code: "not_found"},
		{name: "no name", call: call{method: "POST", path: "/api/v1/applications", body: `{}`}, status: 422, pointers: []string{"/name"}},
		{name: "no name but comments", call: call{method: "POST", path: "/api/v1/applications", body: `{"comments":"x"}`}, status: 422, pointers: []string{"/name"}},
	}
	for _, target := range []struct{ method, path string }{{"POST", "/api/v1/applications"}, {"POST", "/api/v1/applications/"}, {"PUT", one}} {
		cases = append(cases, wrongBodies(target.method, target.path)...)
		cases = append(cases, wrongFields(target.method, target.path, `{`)...)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		cases = append(cases, wrongIDs(method, "/api/v1/applications/", "")...)
	}
	cases = append(cases, wrongIDs("GET", "/api/v1/applications/", "/configurations")...)
	a.refuses(t, cases)
}

// A refusal is a call that must fail and change nothing.
type refusal struct {
	name string
	call
	status   int
	code     string   // "invalid" where there are pointers
	pointers []string // sorted; the fields at fault, all of them
}

// refuses makes each call and checks that it is refused as told, and that
// everything is as it was.
func (a *api) refuses(t *testing.T, cases []refusal) {
	t.Helper()
	before := a.everything()
	for _, tc := range cases {
		a.run(tc.method+" "+tc.name, func(t *testing.T, a *api) {
			got := a.want(tc.status, tc.call)
			p := decode[problem](t, got)
			want := tc.code
			if want == "" {
				want = "invalid"
			}
			equal(t, "code", p.Code, want)
			equal(t, "pointers", p.pointers(), tc.pointers)
			if p.Code == "already_exists" && !strings.Contains(p.Detail, "already exists") {
				t.Errorf("the detail %q does not say that it already exists", p.Detail)
			}
			after := a.everything()
			equal(t, "everything", after, before)
			before = after // so that only the call that changed it is told
		})
	}
}

func (p problem) pointers() []string {
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Pointer)
	}
	slices.Sort(all)
	return all
}
