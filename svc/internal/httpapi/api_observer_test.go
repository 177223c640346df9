package httpapi_test

import (
	"errors"
	"net/http"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
)

// An observed call is what must be told of it: one thing, or nothing.
type observed struct {
	status int
	call
	told string
}

// observers makes calls of every kind and wants each told once, with what
// became of it. A read of a list or of the past's versions is none of a
// configuration.
func observers(t *testing.T, c *contract) {
	to := &audience{}
	a := serveWith(t, c, httpapi.Options{Store: openStore(t), Observer: to})
	app := a.createApplication("checkout")
	made := a.createConfiguration(app, "flags", `{}`)
	a.createConfiguration(app, "taken", `{}`)
	to.take()
	checkObserved(t, a, to, observedReads(made))
	checkObserved(t, a, to, observedWrites(app, made))

	for err, outcome := range map[error]string{errors.New("odd"): "error", conf.Errorf(conf.Unavailable, "down"): "error"} {
		broken := serveWith(t, c, httpapi.Options{Store: brokenStore{err: err}, Observer: to})
		for _, request := range callsOnStore() {
			broken.do(request)
			want := []string(nil)
			if request.method != "GET" {
				want = []string{"write " + operationOf(request) + " " + outcome}
			}
			equal(t, "what is told of a fault in "+request.method+" "+request.path, to.take(), want)
		}
	}
}

func operationOf(c call) string {
	switch {
	case c.method == "POST" && c.path[len(c.path)-1] == 'k':
		return "rollback"
	case c.method == "POST":
		return "create"
	case c.method == "DELETE":
		return "delete"
	}
	return "update"
}

func checkObserved(t *testing.T, a *api, to *audience, calls []observed) {
	for _, o := range calls {
		a.run(o.method+" "+o.path+" "+o.body, func(t *testing.T, a *api) {
			a.want(o.status, o.call)
			var want []string
			if o.told != "" {
				want = []string{o.told}
			}
			equal(t, "what is told", to.take(), want)
		})
	}
}

func observedReads(made configuration) []observed {
	var all []observed
	for _, path := range []string{"/api/v1/configurations/" + made.ID, "/api/v1/config/checkout/flags"} {
		for _, at := range []string{"", "?at=2"} {
			all = append(all,
				observed{200, call{method: "GET", path: path + at}, "read store hit"},
				observed{200, call{method: "HEAD", path: path + at}, "read store hit"},
				observed{304, call{method: "GET", path: path + at, header: map[string]string{"If-None-Match": "*"}}, "read store not_modified"})
		}
		all = append(all,
			observed{404, call{method: "GET", path: path + "?at=1"}, "read store not_found"},
			observed{422, call{method: "GET", path: path + "?at=x"}, ""},
			observed{422, call{method: "GET", path: path + "?at=99", beyond: "the future"}, ""})
	}
	all = append(all,
		observed{404, call{method: "GET", path: "/api/v1/configurations/" + absent}, "read store not_found"},
		observed{404, call{method: "GET", path: "/api/v1/config/checkout/x"}, "read store not_found"},
		observed{422, call{method: "GET", path: "/api/v1/configurations/x"}, ""})
	for _, path := range []string{"/api/v1/applications", "/api/v1/configurations", "/api/v1/applications/" + made.ApplicationID, "/api/v1/audit",
		"/api/v1/configurations/" + made.ID + "/versions", "/api/v1/configurations/" + made.ID + "/versions/1",
		"/api/v1/configurations/" + made.ID + "/diff?from=1&to=1", "/health", "/openapi.json"} {
		all = append(all, observed{200, call{method: "GET", path: path}, ""})
	}
	return all
}

func observedWrites(app application, made configuration) []observed {
	apps, all := "/api/v1/applications", "/api/v1/configurations"
	one, config := apps+"/"+app.ID, all+"/"+made.ID
	stale := map[string]string{"If-Match": `"1"`}
	post := func(status int, path, body, told string) observed {
		return observed{status, call{method: "POST", path: path, body: body}, told}
	}
	unknown := post(400, all, `{"application_id":"`+absent+`","name":"x","config":{}}`, "write create invalid")
	unknown.beyond = "no such application"
	return []observed{
		post(201, apps, `{"name":"x"}`, "write create ok"),
		post(409, apps, `{"name":"x"}`, "write create conflict"),
		post(422, apps, `{}`, "write create invalid"),
		post(400, apps, `{`, "write create invalid"),
		{415, call{method: "POST", path: apps, body: `{}`, header: map[string]string{"Content-Type": "text/plain"}}, "write create invalid"},
		{200, call{method: "PUT", path: one, body: `{}`}, "write update ok"},
		{412, call{method: "PUT", path: one, body: `{}`, header: stale}, "write update conflict"},
		post(201, all, `{"application_id":"`+app.ID+`","name":"y","config":{}}`, "write create ok"),
		post(409, all, `{"application_id":"`+app.ID+`","name":"y","config":{}}`, "write create conflict"),
		unknown,
		{200, call{method: "PUT", path: config, body: `{}`}, "write update ok"},
		{409, call{method: "PUT", path: config, body: `{"name":"taken"}`}, "write update conflict"},
		{404, call{method: "PUT", path: all + "/" + absent, body: `{}`}, "write update invalid"},
		{200, call{method: "PATCH", path: config, body: `{}`}, "write update ok"},
		{412, call{method: "PATCH", path: config, body: `{}`, header: stale}, "write update conflict"},
		{422, call{method: "PATCH", path: config, body: `{"name":""}`}, "write update invalid"},
		post(200, config+"/rollback", `{"version":1}`, "write rollback ok"),
		post(404, config+"/rollback", `{"version":99}`, "write rollback invalid"),
		post(422, config+"/rollback", `{}`, "write rollback invalid"),
		{412, call{method: "POST", path: config + "/rollback", body: `{"version":1}`, header: stale}, "write rollback conflict"},
		{412, call{method: "DELETE", path: config, header: stale}, "write delete conflict"},
		{http.StatusNoContent, call{method: "DELETE", path: config}, "write delete ok"},
		{404, call{method: "DELETE", path: config}, "write delete invalid"},
		{http.StatusNoContent, call{method: "DELETE", path: one}, "write delete ok"},
		{405, call{method: "POST", path: one, body: `{}`}, ""},
	}
}
