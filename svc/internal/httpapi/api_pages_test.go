package httpapi_test

import (
	"fmt"
	"net/url"
	"testing"
)

func pages(t *testing.T, c *contract) {
	a := serve(t, c)
	const total = 53
	var apps []application
	for i := range total {
		apps = append(apps, a.createApplication(fmt.Sprintf("app %02d", (i*31)%total))) // not created in order of name
	}
	owner, empty := apps[3], apps[4]
	elsewhere := a.createConfiguration(apps[5], "elsewhere", `{}`)
	var configs []configuration
	for i := range total {
		configs = append(configs, a.createConfiguration(owner, fmt.Sprintf("config %02d", (i*31)%total), `{}`))
	}
	apps[3], apps[5] = a.application(owner.ID), a.application(apps[5].ID) // they own something now

	checkWindows(t, a, "/api/v1/applications", apps)
	checkWindows(t, a, "/api/v1/applications/", apps)
	checkWindows(t, a, "/api/v1/configurations", append([]configuration{elsewhere}, configs...))
	checkWindows(t, a, "/api/v1/configurations/", append([]configuration{elsewhere}, configs...))
	checkWindows(t, a, "/api/v1/configurations?application_id="+owner.ID, configs)
	checkWindows(t, a, "/api/v1/applications/"+owner.ID+"/configurations", configs)
	checkWindows(t, a, "/api/v1/applications/"+owner.ID+"/configurations/", configs)
	checkWindows(t, a, "/api/v1/applications/"+empty.ID+"/configurations", []configuration{})
	checkWindows(t, a, "/api/v1/configurations?application_id="+empty.ID, []configuration{})
	checkWindows(t, a, "/api/v1/applications?name=app+07", apps[filtered(apps, "app 07"):filtered(apps, "app 07")+1])
	for _, name := range []string{"app", "APP 07", "app 07 ", "app%", "app _7", "' OR ''='"} {
		checkWindows(t, a, "/api/v1/applications?name="+url.QueryEscape(name), []application{})
	}
	wrongWindows(t, a, apps[3])
}

// filtered returns the place of the application of this name.
func filtered(apps []application, name string) int {
	for i, app := range apps {
		if app.Name == name {
			return i
		}
	}
	return -1
}

// checkWindows asks for windows of the list at path, which is all.
func checkWindows[T any](t *testing.T, a *api, path string, all []T) {
	t.Helper()
	total := len(all)
	for _, w := range []struct {
		query         string
		limit, offset int
	}{
		{"", 50, 0},
		{"limit=&offset=", 50, 0},
		{"limit=1", 1, 0},
		{"limit=7&offset=5", 7, 5},
		{"offset=3", 50, 3},
		{"limit=1000", 1000, 0},
		{"limit=10&offset=" + fmt.Sprint(max(0, total-10)), 10, max(0, total-10)}, // ends where the list does
		{"limit=10&offset=" + fmt.Sprint(max(0, total-11)), 10, max(0, total-11)}, // ends one before
		{"limit=10&offset=" + fmt.Sprint(max(0, total-1)), 10, max(0, total-1)},
		{"limit=10&offset=" + fmt.Sprint(total), 10, total},
		{"limit=1000&offset=2147483647", 1000, 2147483647},
		{"limit=2&colour=red&Limit=x", 2, 0},
	} {
		separator := "?"
		if u, _ := url.Parse(path); u.RawQuery != "" {
			separator = "&"
		}
		a.run(path+separator+w.query, func(t *testing.T, a *api) {
			from := min(w.offset, total)
			to := min(from+w.limit, total)
			want := page[T]{Items: append([]T{}, all[from:to]...), Total: total, Limit: w.limit, Offset: w.offset, HasMore: to < total}
			equal(t, "the page", decode[page[T]](t, a.get(path+separator+w.query)), want)
		})
	}
}

func wrongWindows(t *testing.T, a *api, owner application) {
	var cases []refusal
	for _, path := range []string{"/api/v1/applications", "/api/v1/configurations/", "/api/v1/applications/" + owner.ID + "/configurations",
		"/api/v1/configurations/" + owner.ConfigurationIDs[0] + "/versions", "/api/v1/audit"} {
		for _, wrong := range []string{"limit=0", "limit=-1", "limit=1001", "limit=9999999999999999999999", "limit=ten", "limit=1.5", "limit=1e2", "limit=0x10", "limit=5%20"} {
			cases = append(cases, refusal{name: path + "?" + wrong, status: 422, pointers: []string{"/limit"}, call: call{method: "GET", path: path + "?" + wrong}})
		}
		for _, wrong := range []string{"offset=-1", "offset=ten", "offset=0.5", "offset=2147483648", "offset=9999999999999999999999", "offset=null"} {
			cases = append(cases, refusal{name: path + "?" + wrong, status: 422, pointers: []string{"/offset"}, call: call{method: "GET", path: path + "?" + wrong}})
		}
		malformed := refusal{name: path + " with half an escape", status: 422, pointers: []string{""}, call: call{method: "GET", path: path + "?name=%zz"}}
		malformed.beyond = "the query string"
		cases = append(cases, malformed, refusal{name: path + " with both wrong", status: 422, pointers: []string{"/limit", "/offset"},
			call: call{method: "GET", path: path + "?limit=0&offset=-1"}})
	}
	cases = append(cases, refusal{name: "all three wrong", status: 422, pointers: []string{"/application_id", "/limit", "/offset"},
		call: call{method: "GET", path: "/api/v1/configurations?application_id=x&limit=0&offset=-1"}},
		refusal{name: "all four wrong", status: 422, pointers: []string{"/application_id", "/configuration_id", "/limit", "/offset"},
			call: call{method: "GET", path: "/api/v1/audit?configuration_id=x&application_id=x&limit=0&offset=-1"}})
	a.refuses(t, cases)
}
