package httpapi_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// routesOfTheContract asks for every path with every method, and for paths
// that are not there. The witness knows what each must answer.
func routesOfTheContract(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	made := a.createConfiguration(owner, "flags", `{}`)
	before := a.everything()
	for template, item := range c.doc.Paths.Map() {
		path := strings.NewReplacer("{application}", "checkout", "{configuration}", "flags", "{version}", "1").Replace(template)
		if strings.Contains(path, "configurations/{id}") {
			path = strings.ReplaceAll(path, "{id}", made.ID)
		}
		path = strings.ReplaceAll(path, "{id}", owner.ID)
		path = strings.Replace(path, "/diff", "/diff?from=1&to=1", 1)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			if op := item.GetOperation(method); op == nil {
				a.run(method+" "+template, func(t *testing.T, a *api) { a.do(call{method: method, path: path}) })
			}
		}
		if item.Get != nil && path != "/api/v1/watch" { // whose GET does not end; watchRequests compares
			a.run("HEAD tells what GET does: "+template, func(t *testing.T, a *api) { headAsGet(t, a, path) })
		}
	}
	for _, path := range []string{"/docs/swagger.json", "/docs/embed.go", "/docs/x/y", "/docs/../x"} {
		a.run("GET "+path, func(t *testing.T, a *api) { a.want(http.StatusNotFound, call{method: "GET", path: path}) })
	}
	for _, path := range unknownPaths(made.ID) {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			a.run(method+" "+path, func(t *testing.T, a *api) { a.want(http.StatusNotFound, call{method: method, path: path}) })
		}
	}
	equal(t, "everything", a.everything(), before)
}

// headAsGet compares headers, but for what differs from one moment to the next.
func headAsGet(t *testing.T, a *api, path string) {
	head, get := a.want(http.StatusOK, call{method: "HEAD", path: path}), a.get(path)
	for _, h := range []http.Header{head.header, get.header} {
		h.Del("Date")
		if path == "/health" { // its body tells a duration
			h.Del("Content-Length")
		}
	}
	equal(t, "headers", head.header, get.header)
}

func unknownPaths(id string) []string {
	return []string{
		"/", "/api", "/api/v1", "/api/v1/", "/api/v2/applications", "/api/v1/application", "/API/v1/applications",
		"/applications", "/api/v1/applications/" + absent + "/configuration", "/api/v1/applications/" + absent + "/x/y",
		"/api/v1/configurations/" + id + "/", "/api/v1/configurations/" + id + "/version", "/api/v1/config", "/api/v1/config/checkout",
		"/api/v1/config/checkout/flags/", "/api/v1/config/checkout/flags/x", "/api/v1/config/checkout/",
		"/health/", "/livez/x", "/metrics/", "/openapi", "/openapi.yml", "/favicon.ico", "/%FF",
		"//", "//health", "/api/v1//applications", "/api/v1/config//flags", "/api/v1/config/checkout//", "/x/../health", "/./health", "/api/v1/applications/../configurations",
	}
}

// contractDocuments reads what the service says of itself.
func contractDocuments(t *testing.T, c *contract) {
	a := serve(t, c)
	for _, path := range []string{"/openapi.yaml", "/openapi.json"} {
		a.run(path, func(t *testing.T, a *api) {
			got := a.get(path)
			served, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := served.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
				t.Error(err)
			}
			closeSchemas(served)
			equal(t, "the contract served", asJSON(t, served), asJSON(t, c.doc))
			a.want(http.StatusNotModified, call{method: "GET", path: path, header: map[string]string{"If-None-Match": got.header.Get("ETag")}})
			a.want(http.StatusOK, call{method: "GET", path: path, header: map[string]string{"If-None-Match": `"other"`}})
		})
	}
	if yaml, json := a.get("/openapi.yaml").header.Get("ETag"), a.get("/openapi.json").header.Get("ETag"); yaml == json {
		t.Errorf("two documents have one ETag, %s", yaml)
	}
	a.run("/docs", func(t *testing.T, a *api) { docsFromHere(t, a) })
}

func asJSON(t *testing.T, doc *openapi3.T) string {
	t.Helper()
	text, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return canonical(t, text)
}

// docsFromHere follows every asset that the page refers to: all must be here.
func docsFromHere(t *testing.T, a *api) {
	page := a.get("/docs")
	policy := page.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'self'") || regexp.MustCompile(`https?:|\*|data:[^;]*script`).MatchString(policy) {
		t.Errorf("the policy %q lets the page load from elsewhere", policy)
	}
	assets := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.body, -1)
	if len(assets) < 4 {
		t.Fatalf("the page refers to %d assets: %s", len(assets), page.body)
	}
	for _, asset := range assets {
		if !strings.HasPrefix(asset[1], "/docs/") {
			t.Errorf("the page refers to %s", asset[1])
			continue
		}
		// The assets are no part of the contract, so the witness is not asked.
		res, err := http.Get(a.server.URL + asset[1])
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || len(body) == 0 {
			t.Errorf("GET %s answered %d with %d bytes, %v", asset[1], res.StatusCode, len(body), err)
		}
		if strings.HasSuffix(asset[1], ".css") && regexp.MustCompile(`url\(["']?(https?:)?//`).Match(body) {
			t.Errorf("%s refers to another host", asset[1])
		}
	}
}
