package httpapi

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// A patch that is deep and large may not cost its depth times its size: one
// such request would take the service down.
func TestMergePatchCostsNoMoreThanItsSize(t *testing.T) {
	const depth = 2000
	deep := []byte(strings.Repeat(`{"a":`, depth) + `"` + strings.Repeat("x", 100_000) + `"` + strings.Repeat("}", depth))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	merged, err := mergePatch(deep, deep)
	runtime.ReadMemStats(&after)
	if err != nil || string(merged) != string(deep) {
		t.Errorf("merged with itself it is %d bytes for %d, %v", len(merged), len(deep), err)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 100*uint64(len(deep)) {
		t.Errorf("it took %d bytes of memory to merge %d", spent, len(deep))
	}
}

// mergeCases are all examples of RFC 7396, appendix A. A config is an object,
// and so is its patch, so each is put into a member; where both were objects
// they are also taken as they are.
func mergeCases() [][3]string {
	examples := [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, ``}, // a member that is set to null is no more
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	}
	var all [][3]string
	for _, e := range examples {
		inside := [3]string{`{"m":` + e[0] + `}`, `{"m":` + e[1] + `}`, `{"m":` + e[2] + `}`}
		if e[2] == "" {
			inside[2] = `{}`
		}
		all = append(all, inside)
		if e[0][0] == '{' && e[1][0] == '{' {
			all = append(all, e)
		}
	}
	return all
}

func TestMergePatchIsTheRFCs(t *testing.T) {
	for _, c := range mergeCases() {
		got, err := mergePatch([]byte(c[0]), []byte(c[1]))
		if err != nil || sorted(t, got) != c[2] {
			t.Errorf("%s patched with %s is %s (%v), want %s", c[0], c[1], got, err, c[2])
		}
	}
}

// Whatever it is given, a patch does the same the second time, an empty one
// does nothing, and nothing is left of what it sets to null.
func FuzzMergePatch(f *testing.F) {
	for _, c := range mergeCases() {
		f.Add([]byte(c[0]), []byte(c[1]))
	}
	f.Add([]byte(`{"a":1e400,"":{"/~":[null,{"b":null}]}}`), []byte(`{"a":{"b":-0.0,"c":null},"":null}`))
	f.Fuzz(func(t *testing.T, target, patch []byte) {
		if !isConfig(target) || !isConfig(patch) {
			t.Skip()
		}
		once := merged(t, target, patch)
		if twice := merged(t, once, patch); sorted(t, twice) != sorted(t, once) {
			t.Errorf("%s patched with %s is %s, and once more %s", target, patch, once, twice)
		}
		if same := merged(t, target, []byte(`{}`)); sorted(t, same) != sorted(t, target) {
			t.Errorf("%s patched with nothing is %s", target, same)
		}
		var change, after map[string]json.RawMessage
		if json.Unmarshal(patch, &change) != nil || json.Unmarshal(once, &after) != nil {
			t.Fatalf("%s and %s are not both objects", patch, once)
		}
		for name, value := range change {
			if _, ok := after[name]; ok == (string(value) == "null") {
				t.Errorf("%q is in %s patched with %s: %t", name, target, patch, ok)
			}
		}
	})
}

func merged(t *testing.T, target, patch []byte) []byte {
	t.Helper()
	out, err := mergePatch(target, patch)
	if err != nil {
		t.Fatalf("%v: %s patched with %s", err, target, patch)
	}
	return out
}

// isConfig reports whether text can have come through the body of a request.
func isConfig(text []byte) bool {
	_, isObject, err := readObject(text)
	return err == nil && isObject
}
