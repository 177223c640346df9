package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"configservice/svc/internal/httpapi"
)

type auditEntry struct {
	Revision        int64     `json:"revision"`
	Time            time.Time `json:"time"`
	ChangedBy       *string   `json:"changed_by"`
	ChangedFrom     *string   `json:"changed_from"`
	Operation       string    `json:"operation"`
	ApplicationID   string    `json:"application_id"`
	ConfigurationID *string   `json:"configuration_id"`
	Name            string    `json:"name"`
	Version         *int64    `json:"version"`
}

// ofRequest passes on what is logged with a request's context: only that has
// the ids of its trace.
type ofRequest struct{ slog.Handler }

func (h ofRequest) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Value(http.ServerContextKey) == nil {
		r.Message += " (not of a request)"
	}
	return h.Handler.Handle(ctx, r)
}

// A named principal is who makes all requests from now on.
type named struct{ atomic.Pointer[string] }

func (n *named) of(context.Context) string { return *n.Load() }

// changesAreTold makes every kind of change, and wants the log, the audit and
// the versions to tell the same of it: who, what and from where. A refused
// write is none, and no config gets into a log.
func changesAreTold(t *testing.T, c *contract) {
	log, who := &lines{}, &named{}
	who.Store(new("kim"))
	a := serveWith(t, c, httpapi.Options{Store: openStore(t), Principal: who.of, Logger: slog.New(ofRequest{slog.NewJSONHandler(log, nil)})})
	app := a.createApplication("checkout")
	one := "/api/v1/applications/" + app.ID
	made := a.createConfiguration(app, "flags", `{"password":"s3cret"}`)
	config := "/api/v1/configurations/" + made.ID
	for _, step := range []struct {
		who    string
		status int
		call
	}{
		{"kim", 200, call{method: "PUT", path: one, body: `{"name":"till"}`}},
		{"", 200, call{method: "PUT", path: config, body: `{"config":{"password":"s3cret2"}}`}},
		{"", 409, call{method: "POST", path: "/api/v1/applications", body: `{"name":"till"}`}},
		{"robin", 200, call{method: "PATCH", path: config, body: `{"config":{"a":null},"comments":"s3cret"}`, header: map[string]string{"X-Forwarded-For": "198.51.100.1"}}},
		{"robin", 412, call{method: "PATCH", path: config, body: `{}`, header: map[string]string{"If-Match": `"1"`}}},
		{"robin", 412, call{method: "DELETE", path: config, header: map[string]string{"If-Match": `"1"`}}},
		{"robin", 404, call{method: "POST", path: config + "/rollback", body: `{"version":9}`}},
		{"robin", 200, call{method: "POST", path: config + "/rollback", body: `{"version":1}`}},
		{"robin", 422, call{method: "PUT", path: config, body: `{"name":""}`}},
		{"<kim> & \"co\"", 204, call{method: "DELETE", path: config}},
		{"kim", 204, call{method: "DELETE", path: one}},
		{"kim", 404, call{method: "DELETE", path: one}},
	} {
		who.Store(&step.who)
		a.want(step.status, step.call)
	}
	got := decode[page[auditEntry]](t, a.get("/api/v1/audit"))
	equal(t, "what the log tells", logged(t, log.String()), told(got.Items))
	kim, from := "kim", "127.0.0.1"
	first := got.Items[len(got.Items)-1]
	equal(t, "the first entry", first, auditEntry{Revision: 1, Time: first.Time, ChangedBy: &kim, ChangedFrom: &from,
		Operation: "create", ApplicationID: app.ID, Name: "checkout"})
	var operations []string
	for _, e := range got.Items {
		operations = append(operations, e.Operation)
	}
	equal(t, "the operations", operations, []string{"delete", "delete", "rollback", "update", "update", "update", "create", "create"})
	if text := log.String(); strings.Contains(text, "s3cret") || strings.Contains(text, "not of a request") {
		t.Errorf("a config was logged, or something without its request's context:\n%s", text)
	}
}

// logged returns the lines of a log without their times.
func logged(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "time")
		all = append(all, fields)
	}
	return all
}

// told returns the lines that the log must have for these entries.
func told(entries []auditEntry) (all []map[string]any) {
	for _, e := range slices.Backward(entries) {
		fields := map[string]any{"level": "INFO", "msg": "change", "operation": e.Operation, "application_id": e.ApplicationID,
			"revision": float64(e.Revision), "changed_by": known(e.ChangedBy), "changed_from": known(e.ChangedFrom)}
		if e.ConfigurationID != nil {
			fields["configuration_id"], fields["version"] = *e.ConfigurationID, float64(*e.Version)
		}
		all = append(all, fields)
	}
	return all
}

// known is what the log tells of what may not be known.
func known(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// audits asks for parts of the audit; what they tell of may be gone.
func audits(t *testing.T, c *contract) {
	who := &named{}
	a := serveWith(t, c, httpapi.Options{Store: openStore(t), Principal: who.of})
	who.Store(new(""))
	app, other := a.createApplication("checkout"), a.createApplication("search")
	who.Store(new("kim & co"))
	flags := a.createConfiguration(app, "flags", `{}`)
	limits := a.createConfiguration(app, "limits", `{}`)
	who.Store(new("robin"))
	a.put(flags.ID, `{"name":"toggles"}`)
	a.createConfiguration(other, "flags", `{}`)
	a.want(http.StatusNoContent, call{method: "DELETE", path: "/api/v1/applications/" + app.ID})

	all := decode[page[auditEntry]](t, a.get("/api/v1/audit?limit=1000")).Items
	equal(t, "how many entries there are", len(all), 9) // the last change has three
	only := func(selects func(auditEntry) bool) []auditEntry {
		return slices.DeleteFunc(slices.Clone(all), func(e auditEntry) bool { return !selects(e) })
	}
	by := func(name string) func(auditEntry) bool {
		return func(e auditEntry) bool { return e.ChangedBy != nil && *e.ChangedBy == name }
	}
	of := func(id string) func(auditEntry) bool {
		return func(e auditEntry) bool { return e.ConfigurationID != nil && *e.ConfigurationID == id }
	}
	for query, want := range map[string][]auditEntry{
		"": all,
		"?application_id=&changed_by=&configuration_id=":                 all,
		"?application_id=" + app.ID:                                      only(func(e auditEntry) bool { return e.ApplicationID == app.ID }),
		"?configuration_id=" + flags.ID:                                  only(of(flags.ID)),
		"?configuration_id=" + limits.ID + "&application_id=" + app.ID:   only(of(limits.ID)),
		"?configuration_id=" + limits.ID + "&application_id=" + other.ID: {},
		"?changed_by=kim%20%26%20co":                                     only(by("kim & co")),
		"?changed_by=robin&configuration_id=" + flags.ID:                 only(func(e auditEntry) bool { return by("robin")(e) && of(flags.ID)(e) }),
		"?changed_by=KIM":                                                {},
		"?changed_by='%20OR%20''='":                                      {},
		"?application_id=" + absent:                                      {},
		"?configuration_id=" + absent:                                    {},
	} {
		checkWindows(t, a, "/api/v1/audit"+query, want)
		checkWindows(t, a, "/api/v1/audit/"+query, want)
	}
}

// An audience notes what an Observer is told.
type audience struct {
	mu   sync.Mutex
	told []string
}

func (o *audience) note(kind, of, outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, kind+" "+of+" "+outcome)
}

func (o *audience) Read(_ context.Context, source, outcome string) { o.note("read", source, outcome) }

func (o *audience) Write(_ context.Context, operation, outcome string) {
	o.note("write", operation, outcome)
}

func (o *audience) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	told := o.told
	o.told = nil
	return told
}
