package httpapi_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

func patching(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	a.run("fields", func(t *testing.T, a *api) { patchFields(t, a, owner) })
	a.run("config", func(t *testing.T, a *api) { patchConfig(t, a, owner) })
}

func patchFields(t *testing.T, a *api, owner application) {
	now := a.createConfiguration(owner, "fields", `{"a":1}`)
	for _, step := range []struct {
		name, body string
		change     func(*configuration)
	}{
		{"the name alone", `{"name":"renamed"}`, func(c *configuration) { c.Name = "renamed" }},
		{"the comments alone", `{"comments":"New"}`, func(c *configuration) { c.Comments = new("New") }},
		{"the config alone", `{"config":{"b":2}}`, func(c *configuration) { c.Config = json.RawMessage(`{"a":1,"b":2}`) }},
		{"null clears the comments", `{"comments":null}`, func(c *configuration) { c.Comments = nil }},
		{"an empty config changes none of it", `{"config":{}}`, func(*configuration) {}},
		{"nothing", `{}`, func(*configuration) {}},
	} {
		a.run(step.name, func(t *testing.T, a *api) {
			now = a.changes(t, "PATCH", now, step.body, step.change)
		})
	}
	a.run("as application/json", func(t *testing.T, a *api) {
		got := a.want(http.StatusOK, call{method: "PATCH", path: "/api/v1/configurations/" + now.ID, body: `{"config":{"b":null}}`,
			header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}})
		equal(t, "config", string(decode[configuration](t, got).Config), `{"a":1}`)
	})
}

// The rows are those of RFC 7396, appendix A, in which both sides are objects,
// and what implementations are known to get wrong.
func patchConfig(t *testing.T, a *api, owner application) {
	for _, tc := range []struct{ name, config, patch, want string }{
		{"replaces", `{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{"adds", `{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{"removes", `{"a":"b"}`, `{"a":null}`, `{}`},
		{"removes one of two", `{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{"replaces an array by a string", `{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{"replaces a string by an array", `{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{"merges deep", `{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{"replaces arrays whole", `{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{"keeps a null that is there", `{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{"drops nulls from what it adds", `{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{"replaces a scalar by an object", `{"a":1}`, `{"a":{"b":2,"c":null}}`, `{"a":{"b":2}}`},
		{"replaces an object by a scalar", `{"a":{"b":2}}`, `{"a":false}`, `{"a":false}`},
		{"replaces null by an object", `{"a":null}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"removes what is not there", `{"a":1}`, `{"b":null}`, `{"a":1}`},
		{"keeps nulls in an array", `{"a":1}`, `{"a":[1,null,2]}`, `{"a":[1,null,2]}`},
		{"keeps nulls in the objects of an array", `{"a":1}`, `{"a":[{"b":null}]}`, `{"a":[{"b":null}]}`},
		{"keeps nulls in the objects of an array that is new", `{}`, `{"a":{"b":[{"c":null},[null]]}}`, `{"a":{"b":[{"c":null},[null]]}}`},
		{"keeps nulls deep in what it leaves alone", `{"a":{"b":null,"c":[null]}}`, `{"d":1}`, `{"a":{"b":null,"c":[null]},"d":1}`},
		{"keeps nulls beside what it changes", `{"a":{"b":null,"c":1}}`, `{"a":{"c":2}}`, `{"a":{"b":null,"c":2}}`},
		{"keeps an empty object", `{"a":1}`, `{"b":{}}`, `{"a":1,"b":{}}`},
		{"takes an empty name", `{"":1}`, `{"":null," ":2}`, `{" ":2}`},
		{"keeps the text of numbers", `{"a":1e400,"b":{"c":1.10}}`, `{"b":{"d":12345678901234567890}}`, `{"a":1e400,"b":{"c":1.10,"d":12345678901234567890}}`},
	} {
		a.run(tc.name, func(t *testing.T, a *api) {
			made := a.createConfiguration(owner, tc.name, tc.config)
			got := a.want(http.StatusOK, call{method: "PATCH", path: "/api/v1/configurations/" + made.ID, body: `{"config":` + tc.patch + `}`})
			equalJSON(t, "the answer", decode[configuration](t, got).Config, tc.want)
			equalJSON(t, "what is read afterwards", a.configuration(made.ID).Config, tc.want)
		})
	}
}
