package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"configservice/svc/internal/httpapi"
)

// equalJSON compares values by their text, but for white space and the order
// of members.
func equalJSON(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	equal(t, what, canonical(t, got), canonical(t, []byte(want)))
}

func canonical(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	sorted, err := json.Marshal(v) // sorts members, keeps the text of a json.Number
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

// What goes in comes out: through a language of floats, most of these would not.
func exactness(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	for _, tc := range []struct{ name, config string }{
		{"beyond float64", `{"n":1e400}`},
		{"beyond int64", `{"n":12345678901234567890}`},
		{"beyond the integers of float64", `{"n":9007199254740993}`},
		{"trailing zero", `{"n":1.10}`},
		{"negative zero", `{"n":-0}`},
		{"negative zero with a fraction", `{"n":-0.0}`},
		{"exponents", `{"n":[1E5,1e+5,1e-5,1.0E-05,0e0]}`},
		{"many digits", `{"n":0.1000000000000000055511151231257827021181583404541015625}`},
		{"a number too long for anything", `{"n":` + strings.Repeat("9", 1000) + `}`},
		{"text that HTML escapes", `{"s":"<a href='x'>&</a>"}`},
		{"line separators", `{"s":"` + "\u2028\u2029" + `"}`},
		{"escapes", `{"s":"\u0000\b\f\n\r\t\"\\\/"}`},
		{"an escaped pair of surrogates", `{"s":"\ud83d\ude80\uD83D\uDE80 \\ud800 \\\\ud800"}`},
		{"emoji", `{"👩‍🚀":"👍🏽"}`},
		{"combining and composed letters", `{"e\u0301":1,"\u00e9":2}`},
		{"names of all kinds", `{"":1," ":2,"a.b":3,"a/b":4,"$ref":"#/x","__proto__":{},"constructor":null}`},
		{"nothing in it", `{}`},
		{"null in it", `{"a":null,"b":[null],"c":{"d":null}}`},
		{"a hundred levels", strings.Repeat(`{"a":`, 100) + `[]` + strings.Repeat(`}`, 100)},
		{"white space", "{ \"a\" :\t[ 1 ,\r\n 2 ] }"},
	} {
		a.run(tc.name, func(t *testing.T, a *api) {
			body := `{"application_id":"` + owner.ID + `","name":"` + tc.name + `","config":` + tc.config + `}`
			made := decode[configuration](t, a.want(http.StatusCreated, call{method: "POST", path: "/api/v1/configurations", body: body}))
			path := "/api/v1/configurations/" + made.ID
			equalJSON(t, "the answer to POST", made.Config, tc.config)
			equalJSON(t, "what is read", a.configuration(made.ID).Config, tc.config)
			put := a.want(http.StatusOK, call{method: "PUT", path: path, body: `{"config":` + tc.config + `}`})
			equalJSON(t, "the answer to PUT", decode[configuration](t, put).Config, tc.config)
			patched := a.want(http.StatusOK, call{method: "PATCH", path: path, body: `{"config":{"extra":1}}`})
			back := a.want(http.StatusOK, call{method: "PATCH", path: path, body: `{"config":{"extra":null}}`})
			equalJSON(t, "what two patches that cancel out leave", decode[configuration](t, back).Config, tc.config)
			if !strings.Contains(patched.body, `"extra":1`) {
				t.Errorf("the patch did not arrive: %s", patched.body)
			}
		})
	}
	a.run("times", func(t *testing.T, a *api) { timesInUTC(t, a) })
}

func timesInUTC(t *testing.T, a *api) {
	type times struct {
		Created string `json:"created_at"`
		Updated string `json:"updated_at"`
	}
	utc := regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$`)
	for _, list := range []string{"/api/v1/applications", "/api/v1/configurations"} {
		for _, item := range decode[page[times]](t, a.get(list)).Items {
			if !utc.MatchString(item.Created) || !utc.MatchString(item.Updated) {
				t.Errorf("%s tells %+v", list, item)
			}
		}
	}
}

// The limits are the contract's, and hold to the character and the byte.
func sizes(t *testing.T, c *contract) {
	a := serve(t, c)
	owner := a.createApplication("checkout")
	flags := a.createConfiguration(owner, "flags", `{}`)
	const limit = 1 << 20
	for target, start := range map[string]string{
		"POST /api/v1/applications":                             `{"name":"large"`,
		"PUT /api/v1/applications/" + owner.ID:                  `{"comments":null`,
		"POST /api/v1/configurations":                           `{"application_id":"` + owner.ID + `","name":"large","config":{"a":1}`,
		"PUT /api/v1/configurations/" + flags.ID:                `{"config":{"a":1}`,
		"PATCH /api/v1/configurations/" + flags.ID:              `{"config":{"a":1}`,
		"POST /api/v1/configurations/" + flags.ID + "/rollback": `{"version":1`,
	} {
		method, path, _ := strings.Cut(target, " ")
		padded := func(size int) string { return start + strings.Repeat(" ", size-len(start)-1) + `}` }
		large := call{method: method, path: path, body: padded(limit + 1), beyond: "its size"}
		chunked := large
		chunked.chunked = true
		a.refuses(t, []refusal{
			{name: target + ", one byte over", call: large, status: 413, code: "too_large"},
			{name: target + ", one byte over, in chunks", call: chunked, status: 413, code: "too_large"},
		})
		if got := a.do(call{method: method, path: path, body: padded(limit)}); got.status >= 300 {
			t.Errorf("%s with a body of the limit answered %d: %.300s", target, got.status, got.body)
		}
	}
	a.run("a config of the limit", func(t *testing.T, a *api) {
		const start, end = `{"config":{"a":"`, `"}}`
		body := start + strings.Repeat("x", limit-len(start)-len(end)) + end
		got := decode[configuration](t, a.want(http.StatusOK, call{method: "PUT", path: "/api/v1/configurations/" + flags.ID, body: body}))
		equal(t, "the length of what is read", len(a.configuration(flags.ID).Config), len(got.Config))
		equal(t, "the length of what was sent", len(got.Config), limit-len(`{"config":}`))
	})
	t.Run("patches that add up", func(t *testing.T) { patchesThatAddUp(t, c) })
	a.run("the longest comments", func(t *testing.T, a *api) {
		comments := strings.Repeat("👍", 1024)
		a.want(http.StatusOK, call{method: "PUT", path: "/api/v1/applications/" + owner.ID, body: object(map[string]any{"comments": comments})})
		equal(t, "what is read", *a.application(owner.ID).Comments, comments)
	})
}

// Patches within the bound must not grow a config beyond it, nor may the
// bound keep what is within it from being reached.
func patchesThatAddUp(t *testing.T, c *contract) {
	const limit = 10_000
	a := serveWith(t, c, httpapi.Options{Store: openStore(t), MaxBody: limit})
	id := a.createConfiguration(a.createApplication("checkout"), "flags", `{}`).ID
	path := "/api/v1/configurations/" + id
	half := strings.Repeat("x", limit/2-50)
	a.put(id, `{"config":{"a":"`+half+`"}}`)
	most := a.want(http.StatusOK, call{method: "PATCH", path: path, body: `{"config":{"b":"` + half + `"}}`})
	size := len(decode[configuration](t, most).Config)
	rest := strings.Repeat("x", limit-size-len(`,"c":""`))
	a.refuses(t, []refusal{{name: "one byte over", status: 413, code: "too_large",
		call: call{method: "PATCH", path: path, body: `{"config":{"c":"` + rest + `x"}}`, beyond: "what it makes"}}})
	full := a.want(http.StatusOK, call{method: "PATCH", path: path, body: `{"config":{"c":"` + rest + `"}}`})
	equal(t, "the largest config", len(decode[configuration](t, full).Config), limit)
	a.want(http.StatusOK, call{method: "PATCH", path: path, body: `{"config":{"c":null},"name":"smaller"}`})
}
