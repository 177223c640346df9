package httpapi_test

import (
	"fmt"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// diffs asks for what is between each two versions of a configuration; a
// client's library that applies it must get from the one to the other.
func diffs(t *testing.T, c *contract) {
	a := serve(t, c)
	configs := []string{
		`{}`,
		`{"a":1,"hosts":["b","c"],"a/b":{"~":null}}`,
		`{"a":12345678901234567890,"hosts":["a","b","c"],"a/b":{"~":[]}}`,
		`{"a":12345678901234567891,"hosts":["a","c"],"a/b":{}}`,
		`{"a":1.10,"hosts":[["a"],{"c":0.10}]}`,
		`{"a":1.1,"hosts":[["a",null],{"c":0.1}],"html":"<&>","":false}`,
	}
	made := a.createConfiguration(a.createApplication("checkout"), "flags", configs[0])
	for _, config := range configs[1:] {
		a.put(made.ID, `{"config":`+config+`}`)
	}
	for from := range configs {
		for to := range configs {
			path := fmt.Sprintf("/api/v1/configurations/%s/diff?from=%d&to=%d", made.ID, from+1, to+1)
			a.run(path, func(t *testing.T, a *api) {
				got := a.get(path)
				equal(t, "Content-Type", got.header.Get("Content-Type"), "application/json-patch+json")
				patch, err := jsonpatch.DecodePatch([]byte(got.body))
				if err != nil {
					t.Fatal(err)
				}
				applied, err := patch.Apply([]byte(configs[from]))
				if err != nil {
					t.Fatalf("%v: %s", err, got.body)
				}
				equalJSON(t, "what it makes", applied, configs[to])
				if (from == to) != (len(patch) == 0) {
					t.Errorf("between %s and %s is %s", configs[from], configs[to], got.body)
				}
			})
		}
	}
}
