package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func configurationLifecycle(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	created := a.want(http.StatusCreated, call{method: "POST", path: "/api/v1/configurations",
		body: `{"application_id":"` + owner.ID + `","name":"flags","comments":"Read at start","config":{"a":1}}`})
	now := decode[configuration](t, created)
	path := "/api/v1/configurations/" + now.ID
	equal(t, "Location", created.header.Get("Location"), path)
	equal(t, "what was created", now, configuration{ID: now.ID, ApplicationID: owner.ID, Name: "flags", Comments: new("Read at start"),
		Config: json.RawMessage(`{"a":1}`), Version: 1, Revision: owner.Revision + 1, CreatedAt: now.CreatedAt, UpdatedAt: now.CreatedAt})
	checkWriteHeaders(t, created, now.Revision)
	equal(t, "what is read", a.configuration(now.ID), now)
	equal(t, "what is read by name", decode[configuration](t, a.get("/api/v1/config/checkout/flags")), now)

	for _, step := range []struct {
		name, body string
		change     func(*configuration)
	}{
		{"the name alone", `{"name":"toggles"}`, func(c *configuration) { c.Name = "toggles" }},
		{"the comments alone", `{"comments":"New"}`, func(c *configuration) { c.Comments = new("New") }},
		{"the config alone, whole", `{"config":{"b":{"c":[]}}}`, func(c *configuration) { c.Config = json.RawMessage(`{"b":{"c":[]}}`) }},
		{"null clears the comments", `{"comments":null}`, func(c *configuration) { c.Comments = nil }},
		{"the application that it has", `{"application_id":"` + owner.ID + `","name":"flags"}`, func(c *configuration) { c.Name = "flags" }},
		{"an empty config", `{"config":{}}`, func(c *configuration) { c.Config = json.RawMessage(`{}`) }},
		{"nothing", `{}`, func(*configuration) {}},
	} {
		a.run("PUT "+step.name, func(t *testing.T, a *api) {
			now = a.changes(t, "PUT", now, step.body, step.change)
		})
	}

	gone := a.want(http.StatusNoContent, call{method: "DELETE", path: path})
	checkRevision(t, gone, now.Revision+1)
	for _, path := range []string{path, "/api/v1/config/checkout/flags"} {
		a.want(http.StatusNotFound, call{method: "GET", path: path})
	}
	a.want(http.StatusNotFound, call{method: "DELETE", path: path})
	again := a.createConfiguration(owner, "flags", `{}`)
	if again.ID == now.ID || again.Version != 1 || again.Revision <= now.Revision {
		t.Errorf("made anew, it is %+v after %+v", again, now)
	}
}

// changes sends body and checks that it makes the next version of before,
// different by change alone, which it returns.
func (a *api) changes(t *testing.T, method string, before configuration, body string, change func(*configuration)) configuration {
	t.Helper()
	got := a.want(http.StatusOK, call{method: method, path: "/api/v1/configurations/" + before.ID, body: body})
	after := decode[configuration](t, got)
	checkWriteHeaders(t, got, after.Revision)
	if after.Revision <= before.Revision || after.UpdatedAt.Before(before.UpdatedAt) {
		t.Errorf("it went from revision %d of %v to %d of %v", before.Revision, before.UpdatedAt, after.Revision, after.UpdatedAt)
	}
	want := before
	change(&want)
	want.Version, want.Revision, want.UpdatedAt = before.Version+1, after.Revision, after.UpdatedAt
	equal(t, "the answer", after, want)
	equal(t, "what is read afterwards", a.configuration(before.ID), want)
	return after
}

func configurationRefusals(t *testing.T, c *contract) {
	a := serve(t, c)
	owner, other := a.createApplication("checkout"), a.createApplication("search")
	flags := a.createConfiguration(owner, "flags", `{"a":{"b":1}}`)
	a.createConfiguration(owner, "limits", `{}`)
	const all = "/api/v1/configurations"
	one := all + "/" + flags.ID
	post := func(name string, status int, code, body string, pointers ...string) refusal {
		return refusal{name: name, status: status, code: code, pointers: pointers, call: call{method: "POST", path: all, body: body}}
	}
	cases := []refusal{
		post("a taken name", 409, "already_exists", `{"application_id":"`+owner.ID+`","name":"limits","config":{}}`),
		post("an application that is not there", 400, "unknown_application", `{"application_id":"`+absent+`","name":"x","config":{}}`),
		post("nothing at all", 422, "", `{}`, "/application_id", "/config", "/name"),
		post("no config", 422, "", `{"application_id":"`+owner.ID+`","name":"x"}`, "/config"),
		post("everything wrong", 422, "", `{"application_id":"x","name":"","comments":1,"config":[],"version":1}`,
			"/application_id", "/comments", "/config", "/name", "/version"),
		post("the fields of nothing and one more", 422, "", `{"nme":"x"}`, "/application_id", "/config", "/name", "/nme"),
	}
	cases[1].beyond = "an application that is not there"
	for _, method := range []string{"PUT", "PATCH"} {
		change := func(name string, status int, code, path, body string, pointers ...string) refusal {
			return refusal{name: name, status: status, code: code, pointers: pointers, call: call{method: method, path: path, body: body}}
		}
		cases = append(cases,
			change("a name taken by another", 409, "already_exists", one, `{"name":"limits"}`),
			change("none there", 404, "not_found", all+"/"+absent, `{"name":"x"}`),
			change("everything wrong", 422, "", one, `{"name":"","comments":1,"config":[],"version":1}`, "/comments", "/config", "/name", "/version"))
	}
	for _, body := range []string{`{"application_id":"` + other.ID + `"}`, `{"application_id":"` + absent + `","name":"x"}`} {
		r := refusal{name: "another application", status: 422, pointers: []string{"/application_id"}, call: call{method: "PUT", path: one, body: body}}
		r.beyond = "another application than its own"
		cases = append(cases, r)
	}
	cases = append(cases,
		refusal{name: "its application", status: 422, pointers: []string{"/application_id"}, call: call{
			method: "PATCH", path: one, body: `{"application_id":"` + owner.ID + `","name":"x"}`}},
		refusal{name: "none there", status: 404, code: "not_found", call: call{method: "GET", path: all + "/" + absent}},
		refusal{name: "none there", status: 404, code: "not_found", call: call{method: "DELETE", path: all + "/" + absent}},
		refusal{name: "the list of an application that is not there", status: 404, code: "not_found", call: call{method: "GET", path: all + "?application_id=" + absent}},
		refusal{name: "the list of what is no application", status: 422, pointers: []string{"/application_id"}, call: call{method: "GET", path: all + "?application_id=x"}})
	for target, start := range map[string]string{
		"POST " + all:       `{"application_id":"` + owner.ID + `","config":{},`,
		"POST " + all + "/": `{"application_id":"` + owner.ID + `","config":{},`,
		"PUT " + one:        `{`,
		"PATCH " + one:      `{`,
	} {
		method, path, _ := strings.Cut(target, " ")
		cases = append(cases, wrongBodies(method, path)...)
		cases = append(cases, wrongFields(method, path, start)...)
		cases = append(cases, wrongConfigs(method, path, start)...)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		cases = append(cases, wrongIDs(method, all+"/", "")...)
	}
	a.refuses(t, cases)
}

// wrongConfigs are the values that config and application_id must not have.
func wrongConfigs(method, path, start string) []refusal {
	start = strings.Replace(start, `"config":{},`, ``, 1)
	var all []refusal
	for _, value := range []string{`null`, `[]`, `[{}]`, `"{}"`, `1`, `true`} {
		all = append(all, refusal{name: "a config that is " + value, status: 422, pointers: []string{"/config"},
			call: call{method: method, path: path, body: start + `"name":"x","config":` + value + `}`}})
	}
	deep := refusal{name: "a field twice deep in the config", status: 400, code: "not_json",
		call: call{method: method, path: path, body: start + `"name":"x","config":{"a":[{"b":1,"b":2}]}}`}}
	deep.beyond = "a field twice"
	broken := refusal{name: "ill-formed UTF-8 in the config", status: 400, code: "not_json",
		call: call{method: method, path: path, body: start + `"name":"x","config":{"a":"` + "\xc3\x28" + `"}}`}}
	broken.beyond = "ill-formed UTF-8"
	all = append(all, deep, broken)
	if method == "PATCH" {
		return all
	}
	start = start[:1]
	rest := ""
	if method == "POST" {
		rest = `,"name":"x","config":{}`
	}
	for _, value := range []string{`null`, `5`, `""`, `"x"`, `"` + strings.ToLower(absent) + `"`} {
		all = append(all, refusal{name: "an application_id that is " + value, status: 422, pointers: []string{"/application_id"},
			call: call{method: method, path: path, body: start + `"application_id":` + value + rest + `}`}})
	}
	return all
}

// A name is any text; the path carries it percent-encoded.
func configurationNames(t *testing.T, c *contract) {
	a := serve(t, c)
	names := []string{
		"a", "0", "with space", " leads and trails ", "a/b", "/", "//", "a/../b", ".", "..", "%", "100%", "%2F", "%zz", "a+b", "a?b=c&d", "a#b",
		"a;b", "a:b@c", `back\slash "quoted"`, "<script>&amp;", "ümläut", "日本語", "👩‍🚀 emoji", "עברית", "e\u0301 and \u00e9", "\u2028", "\ufffd",
		"null", "true", "configurations", "CASE", "case", strings.Repeat("a", 256), strings.Repeat("é", 256), strings.Repeat("👍", 256),
	}
	for i, name := range names {
		owner := a.createApplication(name)
		made := a.createConfiguration(owner, name, `{}`)
		neighbour := a.createConfiguration(owner, names[(i+1)%len(names)], `{}`)
		a.run(name[:min(len(name), 20)], func(t *testing.T, a *api) {
			equal(t, "the application's name", a.application(owner.ID).Name, name)
			equal(t, "the configuration's name", a.configuration(made.ID).Name, name)
			filtered := decode[page[application]](t, a.get("/api/v1/applications?name="+url.QueryEscape(name)))
			if filtered.Total != 1 || len(filtered.Items) != 1 || filtered.Items[0].ID != owner.ID {
				t.Errorf("the filter by name found %+v", filtered)
			}
			for _, want := range []configuration{made, neighbour} {
				if name == "/" || want.Name == "/" {
					continue // as the contract says; net/http takes %2F alone for the slash at a path's end
				}
				path := "/api/v1/config/" + encodeSegment(name) + "/" + encodeSegment(want.Name)
				equal(t, path, decode[configuration](t, a.get(path)), want)
			}
		})
	}
	unknown := []refusal{}
	for _, path := range []string{"/x/a", "/a/x", "/A/a", "/a%2Fa", "/%FF/a", "/a/%C3%28", "/a/%00", "/a/" + strings.Repeat("a", 300), "/%20a/a", "/a/a%2F"} {
		unknown = append(unknown, refusal{name: path[:min(len(path), 20)], status: 404, code: "not_found", call: call{method: "GET", path: "/api/v1/config" + path}})
	}
	a.refuses(t, unknown)
}

// encodeSegment encodes all that has a meaning in a path, and dots, which
// would lead elsewhere if they stood alone.
func encodeSegment(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(name), "+", "%20"), ".", "%2E")
}
