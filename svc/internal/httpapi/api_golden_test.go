package httpapi_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordedConversation shows, in one file for people to read, what the service
// answers to each kind of call. What differs from run to run is named.
func recordedConversation(t *testing.T, c *contract) {
	a := serve(t, c)
	r := recorder{api: a}
	app := r.id(call{method: "POST", path: "/api/v1/applications", body: `{"name":"checkout","comments":"Takes money & gives <change>"}`})
	r.do(call{method: "POST", path: "/api/v1/applications", body: `{"name":"checkout"}`})
	one := "/api/v1/applications/" + app
	r.do(call{method: "PUT", path: one, body: `{"comments":null}`, header: map[string]string{"If-Match": `"1"`}})
	r.do(call{method: "PUT", path: one, body: `{}`, header: map[string]string{"If-Match": `"1"`}})
	flags := r.id(call{method: "POST", path: "/api/v1/configurations",
		body: `{"application_id":"` + app + `","name":"feature-flags","config":{"new_basket":true,"rollout_percent":12.50}}`})
	r.do(call{method: "POST", path: "/api/v1/configurations", body: `{"application_id":"` + app + `","name":"feature-flags","config":{}}`})
	r.do(call{method: "POST", path: "/api/v1/configurations", body: `{"application_id":"` + absent + `","name":"x","config":{}}`, beyond: "no such application"})
	r.do(call{method: "POST", path: "/api/v1/configurations", body: `{"application_id":"x","name":"","comments":1,"config":[],"colour":"red"}`})
	config := "/api/v1/configurations/" + flags
	r.do(call{method: "PATCH", path: config, body: `{"config":{"rollout_percent":100,"new_basket":null}}`})
	r.do(call{method: "PUT", path: config, body: `{"config":{"rollout_percent":1e400}}`})
	r.do(call{method: "PUT", path: config, body: `{"application_id":"` + absent + `"}`, beyond: "another application"})
	for _, path := range []string{one, config, "/api/v1/config/checkout/feature-flags", "/api/v1/applications?limit=1", "/api/v1/configurations?offset=1",
		"/api/v1/configurations/x", "/api/v1/configurations/" + absent, "/api/v1/applications/" + absent, "/api/v1/config/checkout/x", "/api/v1/applications?limit=0", "/nowhere",
		"/livez", "/readyz", "/health"} {
		r.do(call{method: "GET", path: path})
	}
	r.do(call{method: "GET", path: config, header: map[string]string{"If-None-Match": `"5"`}})
	r.do(call{method: "HEAD", path: config})
	r.do(call{method: "POST", path: config, body: `{}`})
	r.do(call{method: "POST", path: "/api/v1/applications", body: `{"name":`})
	r.do(call{method: "POST", path: "/api/v1/applications", body: `name=x`, header: map[string]string{"Content-Type": "text/plain"}})
	r.do(call{method: "POST", path: "/api/v1/applications", body: strings.Repeat(" ", 1<<20+1), beyond: "too large"})
	history(&r, config)
	r.do(call{method: "DELETE", path: config})
	r.do(call{method: "DELETE", path: one})
	golden(t, "conversation.txt", []byte(r.text.String()))
}

// history is the part of the conversation that is about what was.
func history(r *recorder, config string) {
	for _, path := range []string{config + "/versions?limit=1", config + "/versions/1", config + "/versions/9", config + "/versions/x",
		config + "/diff?from=1&to=2", config + "/diff?from=2&to=2", config + "/diff", config + "?at=3", config + "?at=2", config + "?at=99",
		"/api/v1/config/checkout/feature-flags?at=4", "/api/v1/config/checkout/feature-flags?at=yesterday"} {
		c := call{method: "GET", path: path}
		if strings.HasSuffix(path, "=99") {
			c.beyond = "the future"
		}
		r.do(c)
	}
	r.do(call{method: "POST", path: config + "/rollback", body: `{"version":1}`, header: map[string]string{"If-Match": `"3"`}})
	r.do(call{method: "POST", path: config + "/rollback", body: `{"version":1}`, header: map[string]string{"If-Match": `"5"`}})
	r.do(call{method: "POST", path: config + "/rollback", body: `{"version":9}`})
	r.do(call{method: "GET", path: "/api/v1/audit?configuration_id=" + config[strings.LastIndex(config, "/")+1:] + "&limit=2"})
	r.do(call{method: "GET", path: "/api/v1/audit?changed_by=nobody"})
}

// A recorder writes down a conversation.
type recorder struct {
	*api
	text strings.Builder
	ids  []string
}

func (r *recorder) do(c call) answer {
	got := r.api.do(c)
	fmt.Fprintf(&r.text, "%s %s\n", c.method, r.normal(c.path))
	for _, name := range []string{"Content-Type", "If-Match", "If-None-Match"} {
		if value, ok := c.header[name]; ok {
			fmt.Fprintf(&r.text, "%s: %s\n", name, value)
		}
	}
	if len(c.body) > 1000 {
		fmt.Fprintf(&r.text, "(%d bytes)\n", len(c.body))
	} else if c.body != "" {
		fmt.Fprintln(&r.text, r.normal(c.body))
	}
	fmt.Fprintf(&r.text, "→ %d\n", got.status)
	for _, name := range []string{"Allow", "Config-Revision", "Content-Type", "ETag", "Location"} {
		if value := got.header.Get(name); value != "" {
			fmt.Fprintf(&r.text, "  %s: %s\n", name, r.normal(value))
		}
	}
	fmt.Fprintf(&r.text, "%s\n\n", strings.TrimRight("  "+r.normal(got.body), " \n"))
	return got
}

// id records a call that creates, and returns the identifier of what it made.
func (r *recorder) id(c call) string {
	got := r.do(c)
	return strings.TrimPrefix(got.header.Get("Location"), got.header.Get("Location")[:strings.LastIndex(got.header.Get("Location"), "/")+1])
}

// normal names what differs from run to run: identifiers in their order of
// appearance, times and durations.
func (r *recorder) normal(s string) string {
	s = regexp.MustCompile(`[0-7][0-9A-HJKMNP-TV-Z]{25}`).ReplaceAllStringFunc(s, func(id string) string {
		if id == absent {
			return "<absent>"
		}
		if !slices.Contains(r.ids, id) {
			r.ids = append(r.ids, id)
		}
		return fmt.Sprintf("<id %d>", slices.Index(r.ids, id)+1)
	})
	s = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(s, "<time>")
	return regexp.MustCompile(`"duration_seconds":[0-9.e+-]+`).ReplaceAllString(s, `"duration_seconds":<duration>`)
}
