package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	apply "github.com/evanphx/json-patch/v5"
)

// applied is what another's implementation of RFC 6902 makes of config.
func applied(t *testing.T, config []byte, steps []patchStep) []byte {
	t.Helper()
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := apply.DecodePatch(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := patch.Apply(config)
	if err != nil {
		t.Fatalf("%v: %.1000s applied to %.1000s", err, text, config)
	}
	return out
}

// sorted is JSON in one form, its numbers as they are.
func sorted(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	if err := decodeExactly(text, &v); err != nil {
		t.Fatalf("%v: %.1000s", err, text)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// checkPatch wants the patch between two configs to lead from the one to the
// other, and to be empty when they are equal.
func checkPatch(t *testing.T, from, to []byte) []patchStep {
	t.Helper()
	steps, err := jsonPatch(from, to)
	if err != nil {
		t.Fatal(err)
	}
	want := sorted(t, to)
	if got := sorted(t, applied(t, from, steps)); got != want {
		t.Errorf("from %.1000s to %.1000s it leads to %.1000s", from, to, got)
	}
	if equal := sorted(t, from) == want; equal != (len(steps) == 0) {
		t.Errorf("from %.1000s to %.1000s there are %d steps", from, to, len(steps))
	}
	return steps
}

// The patch shows people what has changed, and no more.
func TestDiffShowsWhatChangedAndNoMore(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"nothing", `{"a":[1,{"b":null}]}`, ` { "a" : [1, {"b":null}] } `, `[]`},
		{"the order of members", `{"a":1,"b":2}`, `{"b":2,"a":1}`, `[]`},
		{"a member more", `{"a":1}`, `{"a":1,"b":{"c":2}}`, `[{"op":"add","path":"/b","value":{"c":2}}]`},
		{"a null more", `{}`, `{"a":null}`, `[{"op":"add","path":"/a","value":null}]`},
		{"a null less", `{"a":null}`, `{}`, `[{"op":"remove","path":"/a"}]`},
		{"deep down", `{"a":{"b":[1,{"c":2}]}}`, `{"a":{"b":[1,{"c":3}]}}`, `[{"op":"replace","path":"/a/b/1/c","value":3}]`},
		{"the text of a number", `{"a":1.10,"b":1}`, `{"a":1.1,"b":1.0}`, `[{"op":"replace","path":"/a","value":1.1},{"op":"replace","path":"/b","value":1.0}]`},
		{"a number beyond all", `{"a":12345678901234567890}`, `{"a":12345678901234567891}`, `[{"op":"replace","path":"/a","value":12345678901234567891}]`},
		{"a number and a string", `{"a":1}`, `{"a":"1"}`, `[{"op":"replace","path":"/a","value":"1"}]`},
		{"false and null", `{"a":false}`, `{"a":null}`, `[{"op":"replace","path":"/a","value":null}]`},
		{"an empty object and an empty array", `{"a":{}}`, `{"a":[]}`, `[{"op":"replace","path":"/a","value":[]}]`},
		{"names that a pointer escapes", `{"a/b":1,"~":{"~1":1}}`, `{"a/b":2,"~":{"~1":2}}`, `[{"op":"replace","path":"/a~1b","value":2},{"op":"replace","path":"/~0/~01","value":2}]`},
		{"the first of a list", `{"a":[1,2,3]}`, `{"a":[2,3]}`, `[{"op":"remove","path":"/a/0"}]`},
		{"one into a list", `{"a":["x","z"]}`, `{"a":["x","y","z"]}`, `[{"op":"add","path":"/a/1","value":"y"}]`},
		{"two at the end of a list", `{"a":[1]}`, `{"a":[1,2,3]}`, `[{"op":"add","path":"/a/1","value":2},{"op":"add","path":"/a/2","value":3}]`},
		{"three from the end of a list", `{"a":[1,2,3,4]}`, `{"a":[1]}`, `[{"op":"remove","path":"/a/3"},{"op":"remove","path":"/a/2"},{"op":"remove","path":"/a/1"}]`},
		{"one of a list of objects", `{"a":[{"n":1,"v":1},{"n":2,"v":1}]}`, `{"a":[{"n":1,"v":1},{"n":2,"v":2}]}`, `[{"op":"replace","path":"/a/1/v","value":2}]`},
		{"one of many equals", `{"a":[1,1,1]}`, `{"a":[1,1]}`, `[{"op":"remove","path":"/a/2"}]`},
		{"html", `{"a":""}`, `{"a":"<b>&"}`, `[{"op":"replace","path":"/a","value":"<b>&"}]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			steps := checkPatch(t, []byte(tc.from), []byte(tc.to))
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(steps); err != nil || got.String() != tc.want+"\n" {
				t.Errorf("got %s (%v), want %s", got.String(), err, tc.want)
			}
		})
	}
}

// RFC 6901, section 5, has an empty name; the implementation that the other
// tests apply patches with takes it for the object itself.
func TestDiffPointsAtAMemberWithoutAName(t *testing.T) {
	steps, err := jsonPatch([]byte(`{"":{"":1,"a":[0]}}`), []byte(`{"":{"":2,"a":[]}}`))
	want := `[{"op":"replace","path":"//","value":2},{"op":"remove","path":"//a/0"}]`
	if got := string(mustMarshal(t, steps)); err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// Configurations made at random, and changed at random, so that most of what
// is compared is alike.
func TestDiffOfAnythingLeadsThere(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		from := randomObject(r, 4)
		to := changed(r, from)
		if r.IntN(4) == 0 {
			to = randomObject(r, 4)
		}
		a, b := mustMarshal(t, from), mustMarshal(t, to)
		checkPatch(t, a, b)
		checkPatch(t, b, a)
	}
}

// The difference of any two objects leads from the one to the other.
func FuzzDiff(f *testing.F) {
	for _, c := range mergeCases() {
		f.Add([]byte(c[0]), []byte(c[2]))
	}
	f.Add([]byte(`{"a":[1,[2,3],1.10],"c/d":{"~":null}}`), []byte(`{"a":[[2],1.1],"c/d":{"~1":1e400}}`))
	f.Fuzz(func(t *testing.T, from, to []byte) {
		if !isConfig(from) || !isConfig(to) {
			t.Skip()
		}
		if bytes.Contains(from, []byte(`"":`)) || bytes.Contains(to, []byte(`"":`)) {
			t.Skip() // see TestDiffPointsAtAMemberWithoutAName
		}
		checkPatch(t, from, to)
	})
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func randomName(r *rand.Rand) string {
	return []string{"a", "b", "c/d", "~", "~1", "/", "~0/", "é", "0", "-", "<&>", "\u2028", "a b", `"\`}[r.IntN(14)]
}

func randomValue(r *rand.Rand, depth int) any {
	if depth > 0 && r.IntN(2) == 0 {
		if r.IntN(2) == 0 {
			return randomObject(r, depth-1)
		}
		list := make([]any, r.IntN(6))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	}
	numbers := []json.Number{"0", "-0", "1", "1.0", "1.1", "1.10", "1e400", "12345678901234567890", "12345678901234567891", "0.1E-7"}
	return []any{nil, true, false, "", "1", "é<&>", numbers[r.IntN(10)], numbers[r.IntN(10)]}[r.IntN(8)]
}

func randomObject(r *rand.Rand, depth int) map[string]any {
	object := map[string]any{}
	for range r.IntN(6) {
		object[randomName(r)] = randomValue(r, depth)
	}
	return object
}

// changed is v with something in it added, removed or replaced, or nothing.
func changed(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			switch r.IntN(6) {
			case 0:
			case 1:
				out[name] = changed(r, value)
			default:
				out[name] = value
			}
		}
		if r.IntN(3) == 0 {
			out[randomName(r)] = randomValue(r, 2)
		}
		return out
	case []any:
		var out []any
		for _, value := range v {
			switch r.IntN(6) {
			case 0:
			case 1:
				out = append(out, randomValue(r, 2), value)
			case 2:
				out = append(out, changed(r, value))
			default:
				out = append(out, value)
			}
		}
		return append([]any{}, out...)
	}
	return v
}

// Nobody may keep the service busy, or get an answer far beyond what it keeps,
// by asking for the difference of two configurations within the bound.
func TestDiffCostsNoMoreThanItsSize(t *testing.T) {
	nested := func(level, end, core string) []byte {
		depth := 4000
		return []byte(`{"x":` + strings.Repeat(level, depth) + core + strings.Repeat(end, depth) + `}`)
	}
	long := strings.Repeat("n", 100)
	many := strings.Repeat("1,", 1<<18)
	for name, pair := range map[string][2][]byte{
		"long names, deep":              {nested(`{"`+long+`":`, `}`, `1`), nested(`{"`+long+`":`, `}`, `2`)},
		"lists in lists":                {nested(`[`, `]`, `[`+many+`1]`), nested(`[`, `]`, `[`+many+`2]`)},
		"lists in lists, one longer":    {nested(`[`, `,0]`, `[`+many+`1]`), nested(`[`, `,0,0]`, `[`+many+`2]`)},
		"lists and objects in turn":     {nested(`[{"a":`, `},0]`, `[`+many+`1]`), nested(`[{"a":`, `},0,0]`, `[`+many+`2]`)},
		"many leaves under a long path": {nested(`{"a":`, `}`, `[`+many+`1]`), nested(`{"a":`, `}`, `[`+strings.ReplaceAll(many, "1", "2")+`2]`)},
		"many names":                    {numbered("a", 50_000), numbered("b", 50_000)},
	} {
		t.Run(name, func(t *testing.T) {
			var from, to any
			started := time.Now()
			if err := errors.Join(decodeExactly(pair[0], &from), decodeExactly(pair[1], &to)); err != nil {
				t.Fatal(err)
			}
			decoding := time.Since(started)
			started = time.Now()
			checkCost(t, pair[0], pair[1])
			// Work on each level for all below it would take a thousand times as long.
			if took := time.Since(started); took > 100*decoding {
				t.Errorf("to find the steps took %v, to decode both %v", took, decoding)
			}
		})
	}
}

func checkCost(t *testing.T, from, to []byte) {
	t.Helper()
	steps, err := jsonPatch(from, to)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(steps)
	if limit := 2*(len(from)+len(to)) + freeRoom; err != nil || len(text) > limit {
		t.Errorf("the patch has %d bytes between %d and %d (%v)", len(text), len(from), len(to), err)
	}
	if len(steps) == 0 {
		t.Error("it has no steps")
	}
}

func numbered(name string, n int) []byte {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"%s%d":%d`, name, i, i))
	}
	return []byte(`{` + strings.Join(members, ",") + `}`)
}
