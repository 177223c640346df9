package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
)

type version struct {
	Version   int64           `json:"version"`
	Revision  int64           `json:"revision"`
	Name      string          `json:"name"`
	Comments  *string         `json:"comments"`
	Config    json.RawMessage `json:"config"`
	ChangedBy *string         `json:"changed_by"`
	CreatedAt time.Time       `json:"created_at"`
}

// versionOf is the version that a change by nobody known has left c as.
func versionOf(c configuration) version {
	return version{Version: c.Version, Revision: c.Revision, Name: c.Name, Comments: c.Comments, Config: c.Config, CreatedAt: c.UpdatedAt}
}

func (a *api) put(id, body string) configuration {
	a.t.Helper()
	return decode[configuration](a.t, a.want(http.StatusOK, call{method: "PUT", path: "/api/v1/configurations/" + id, body: body}))
}

// versions holds lists, single versions and rollbacks against what the writes
// that made them answered.
func versions(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	made := a.createConfiguration(owner, "flags", `{"n":1.10}`)
	a.createConfiguration(owner, "other", `{}`) // its versions are not in the list
	path := "/api/v1/configurations/" + made.ID
	now := []configuration{made}
	for _, body := range []string{`{"config":{"n":12345678901234567890}}`, `{"name":"toggles","comments":"Renamed"}`, `{"config":{"n":1e400}}`, `{"name":"flags","comments":null}`} {
		now = append(now, a.put(made.ID, body))
	}
	want := []version{}
	for _, c := range now {
		v := versionOf(c)
		want = slices.Insert(want, 0, v)
		equal(t, "one version", decode[version](t, a.get(fmt.Sprintf("%s/versions/%d", path, v.Version))), v)
	}
	checkWindows(t, a, path+"/versions", want)
	checkWindows(t, a, path+"/versions/", want)
	a.run("rollback", func(t *testing.T, a *api) { rollbacks(t, a, now) })
	a.want(http.StatusNoContent, call{method: "DELETE", path: path})
	for _, gone := range []string{"/versions", "/versions/1", "/diff?from=1&to=2"} {
		a.want(http.StatusNotFound, call{method: "GET", path: path + gone})
	}
}

// A rollback goes to any version, makes the next one, and deletes none.
func rollbacks(t *testing.T, a *api, history []configuration) {
	now := history[len(history)-1]
	path := "/api/v1/configurations/" + now.ID
	for _, to := range []int64{1, 3, 2, 8, 7, 1} { // 8 is the current one when it is its turn, and 3 has another name
		got := a.want(http.StatusOK, call{method: "POST", path: path + "/rollback", body: fmt.Sprintf(`{"version":%d}`, to)})
		after, old := decode[configuration](t, got), history[to-1]
		checkWriteHeaders(t, got, after.Revision)
		want := now
		want.Name, want.Comments, want.Config = old.Name, old.Comments, old.Config
		want.Version, want.Revision, want.UpdatedAt = now.Version+1, after.Revision, after.UpdatedAt
		equal(t, fmt.Sprintf("the answer to a rollback to %d", to), after, want)
		equal(t, "what is read afterwards", a.configuration(now.ID), want)
		if after.Revision <= now.Revision {
			t.Errorf("a rollback went from revision %d to %d", now.Revision, after.Revision)
		}
		now, history = after, append(history, after)
	}
	equal(t, "how many versions there are", decode[page[version]](t, a.get(path+"/versions")).Total, len(history))
}

func historyRefusals(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	made := a.createConfiguration(owner, "flags", `{}`)
	a.put(made.ID, `{"name":"toggles"}`)
	a.createConfiguration(owner, "flags", `{}`) // the name of version 1 is taken now
	all := "/api/v1/configurations/"
	one, none := all+made.ID, all+absent
	get := func(name, path string, pointers ...string) refusal {
		return refusal{name: name, status: 422, pointers: pointers, call: call{method: "GET", path: path}}
	}
	missing := func(name, path string) refusal {
		return refusal{name: name, status: 404, code: "not_found", call: call{method: "GET", path: path}}
	}
	cases := []refusal{
		missing("the versions of none", none+"/versions"),
		missing("a version of none", none+"/versions/1"),
		missing("a version that is not there", one+"/versions/3"),
		missing("the greatest version", one+"/versions/9223372036854775807"),
		missing("a diff of none", none+"/diff?from=1&to=1"),
		missing("a diff from what is not there", one+"/diff?from=3&to=1"),
		missing("a diff to what is not there", one+"/diff?from=1&to=3"),
		get("a diff of nothing", one+"/diff", "/from", "/to"),
		get("a diff from nothing", one+"/diff?to=1&from=", "/from"),
		get("a diff to nothing", one+"/diff?from=1", "/to"),
		get("a diff of words", one+"/diff?from=one&to=0", "/from", "/to"),
	}
	for _, wrong := range []string{"0", "-1", "1.0", "one", "1e0", "9223372036854775808", "0x1", "%201"} {
		cases = append(cases, get("version "+wrong, one+"/versions/"+wrong, "/version"))
	}
	for _, odd := range []string{"01", "%2B1"} { // OpenAPI takes them for 1
		r := get("version "+odd, one+"/versions/"+odd, "/version")
		r.beyond = "the form of a number"
		cases = append(cases, r)
	}
	for _, suffix := range []string{"/versions", "/versions/1", "/diff?from=1&to=1"} {
		cases = append(cases, wrongIDs("GET", all, suffix)...)
	}
	malformed := get("half an escape", one+"/diff?from=1&to=1&x=%zz", "")
	malformed.beyond = "the query string"
	a.refuses(t, append(append(cases, malformed), wrongRollbacks(one, none)...))
}

func wrongRollbacks(one, none string) []refusal {
	post := func(name string, status int, code, path, body string, pointers ...string) refusal {
		return refusal{name: "rollback: " + name, status: status, code: code, pointers: pointers, call: call{method: "POST", path: path + "/rollback", body: body}}
	}
	cases := []refusal{
		post("none there", 404, "not_found", none, `{"version":1}`),
		post("a version that is not there", 404, "not_found", one, `{"version":3}`),
		post("the greatest version", 404, "not_found", one, `{"version":9223372036854775807}`),
		post("a name that is taken since", 409, "already_exists", one, `{"version":1}`),
		post("no version", 422, "", one, `{}`, "/version"),
		post("no version but another field", 422, "", one, `{"versions":1}`, "/version", "/versions"),
	}
	for _, wrong := range []string{`0`, `-1`, `1.5`, `"1"`, `null`, `[1]`, `{}`, `true`, `1e30`} {
		cases = append(cases, post("version "+wrong, 422, "", one, `{"version":`+wrong+`}`, "/version"))
	}
	for _, odd := range []string{`1.0`, `1e0`, `10e-1`, `9223372036854775808`} { // OpenAPI takes them for whole numbers
		r := post("version "+odd, 422, "", one, `{"version":`+odd+`}`, "/version")
		r.beyond = "the form of a number"
		cases = append(cases, r)
	}
	cases = append(cases, wrongBodies("POST", one+"/rollback")...)
	return append(cases, wrongIDs("POST", strings.TrimSuffix(none, absent), "/rollback")...)
}

// timeTravel asks for a configuration at every revision and time of its life,
// by its identifier and by the names of then.
func timeTravel(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	v1 := a.createConfiguration(owner, "flags", `{"n":1.10}`)
	v2 := a.put(v1.ID, `{"config":{"n":2}}`)
	a.want(http.StatusOK, call{method: "PUT", path: "/api/v1/applications/" + owner.ID, body: `{"name":"till"}`}) // revision 4
	v3 := a.put(v1.ID, `{"name":"toggles"}`)
	a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/configurations/" + v1.ID}) // revision 6
	again := a.createConfiguration(owner, "flags", `{}`)

	byID := "/api/v1/configurations/" + v1.ID
	revisions := func(numbers ...int64) (all []string) {
		for _, n := range numbers {
			all = append(all, strconv.FormatInt(n, 10))
		}
		return all
	}
	for _, tc := range []struct {
		path string
		at   []string
		want *configuration // nil: not found
	}{
		{byID, append(revisions(owner.Revision), at(v1.CreatedAt, -1), "0001-01-01T00:00:00Z"), nil},
		{byID, append(revisions(2), at(v1.CreatedAt, 0), at(v2.UpdatedAt, -1), elsewhere(v1.CreatedAt)), &v1},
		{byID, append(revisions(3, 4), at(v2.UpdatedAt, 0), at(v3.UpdatedAt, -1)), &v2},
		{byID, append(revisions(5), at(v3.UpdatedAt, 0)), &v3},
		{byID, append(revisions(6, 7), at(again.CreatedAt, 0)), nil},
		{byID, []string{""}, nil}, // as if it was left out
		{"/api/v1/configurations/" + again.ID, append(revisions(7), ""), &again},
		{"/api/v1/configurations/" + again.ID, revisions(6), nil},
		{"/api/v1/configurations/" + absent, revisions(2), nil},
		{"/api/v1/config/checkout/flags", append(revisions(2), at(v1.CreatedAt, 0)), &v1},
		{"/api/v1/config/checkout/flags", append(revisions(3), at(v2.UpdatedAt, 0)), &v2},
		{"/api/v1/config/checkout/flags", append(revisions(1, 4, 5, 6, 7), ""), nil},
		{"/api/v1/config/till/flags", revisions(4), &v2},
		{"/api/v1/config/till/toggles", revisions(5), &v3},
		{"/api/v1/config/till/toggles", revisions(4, 6, 7), nil},
		{"/api/v1/config/till/flags", append(revisions(7), ""), &again},
	} {
		for _, at := range tc.at {
			path := tc.path + "?at=" + url.QueryEscape(at)
			a.run(path, func(t *testing.T, a *api) { readsAt(t, a, path, tc.want) })
		}
	}
	a.refuses(t, wrongPoints(again))
}

// forgotten asks for what is no longer kept: it is as if it had never been,
// while what is kept has the number that it had, and the audit goes on.
func forgotten(t *testing.T, c *contract) {
	store := openStore(t)
	a := serveWith(t, c, httpapi.Options{Store: store})
	made := a.createConfiguration(a.createApplication("checkout"), "flags", `{"v":1}`)
	a.put(made.ID, `{"config":{"v":2}}`)
	v3 := a.put(made.ID, `{"config":{"v":3}}`)
	v4 := a.put(made.ID, `{"config":{"v":4}}`)
	if err := store.Prune(t.Context(), conf.Retention{Versions: 2, Audit: time.Hour}); err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/configurations/" + made.ID
	checkWindows(t, a, path+"/versions", []version{versionOf(v4), versionOf(v3)})
	equal(t, "what was at a revision that is kept", decode[configuration](t, a.get(path+"?at=4")), v3)
	a.get(path + "/diff?from=3&to=4")
	for _, gone := range []string{"/versions/1", "/versions/2", "/diff?from=2&to=3", "/diff?from=3&to=1", "?at=2", "?at=3", "?at=" + at(v3.UpdatedAt, -1)} {
		a.want(http.StatusNotFound, call{method: "GET", path: path + gone})
	}
	a.want(http.StatusNotFound, call{method: "GET", path: "/api/v1/config/checkout/flags?at=3"})
	a.want(http.StatusNotFound, call{method: "POST", path: path + "/rollback", body: `{"version":2}`})
	after := decode[configuration](t, a.want(http.StatusOK, call{method: "POST", path: path + "/rollback", body: `{"version":3}`}))
	equal(t, "the version that a rollback makes", after.Version, 5)
	equal(t, "how many changes the audit tells", decode[page[auditEntry]](t, a.get("/api/v1/audit?configuration_id="+made.ID)).Total, 5)
}

// at is the time t, some microseconds on.
func at(t time.Time, micros time.Duration) string {
	return t.Add(micros * time.Microsecond).Format(time.RFC3339Nano)
}

// elsewhere is the time t on a clock of another place.
func elsewhere(t time.Time) string {
	return t.In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339Nano)
}

func readsAt(t *testing.T, a *api, path string, want *configuration) {
	if want == nil {
		a.want(http.StatusNotFound, call{method: "GET", path: path})
		return
	}
	got := a.get(path)
	equal(t, "what was", decode[configuration](t, got), *want)
	tag := `"` + strconv.FormatInt(want.Revision, 10) + `"`
	equal(t, "ETag", got.header.Get("ETag"), tag)
	a.want(http.StatusNotModified, call{method: "GET", path: path, header: map[string]string{"If-None-Match": tag}})
	a.want(http.StatusOK, call{method: "GET", path: path, header: map[string]string{"If-None-Match": `"1"`}})
}

// wrongPoints are those that are none, and those that have not come yet.
func wrongPoints(now configuration) []refusal {
	var cases []refusal
	for _, path := range []string{"/api/v1/configurations/" + now.ID, "/api/v1/config/till/flags"} {
		get := func(at, beyond string) {
			r := refusal{name: path + " at " + at, status: 422, pointers: []string{"/at"}, call: call{method: "GET", path: path + "?at=" + at}}
			r.beyond = beyond
			cases = append(cases, r)
		}
		for _, wrong := range []string{"0", "-1", "01", "1.5", "%2B1", "1e3", "now", "2026-03-14", "2026-03-14T09:26", "2026-03-14T09:26:53",
			"2026-03-14T09:26:53+01:00", "2026-03-14%2009:26:53Z", "2026-03-14t09:26:53z", "2026-03-14T09:26:53,5Z", "2026-03-14T9:26:53Z", "%00"} {
			get(wrong, "")
		}
		for _, wrong := range []string{"9223372036854775808", "2026-13-14T09:26:53Z", "2026-02-30T09:26:53Z", "2026-03-14T24:00:00Z", "2026-03-14T09:26:53%2B99:00"} {
			get(wrong, "the range of a number in it")
		}
		for _, future := range []string{strconv.FormatInt(now.Revision+1, 10), "9223372036854775807", "2026", at(time.Now().Add(time.Hour), 0), "9999-12-31T23:59:59Z"} {
			get(future, "it has not come yet")
		}
	}
	return append(cases, wrongIDs("GET", "/api/v1/configurations/", "?at=1")...)
}
