package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestNameIsFoundTwiceHoweverItIsWritten(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"a":2}`:                         "a",
		`{"a":1,"\u0061":2}`:                    "a",
		`{"a":1, "a" : 2}`:                      "a",
		"{\"a\":1,\n\t\"a\"\r\n:2}":             "a",
		`[{"x":{"b":[],"c":"b","b":null}}]`:     "b",
		`{"\"":1,"\\":2,"\"":3}`:                `"`,
		`{"":1,"":2}`:                           "",
		`{"a":{"a":[{"a":1},{"a":2}]},"b":"a"}`: "none",
		`["a","a",{"a":"a"}]`:                   "none",
		`{"a":"}","b":"a\":","A":1}`:            "none",
		`"a"`:                                   "none",
	} {
		_, _, err := readObject([]byte(text))
		if want != "none" {
			want = fmt.Sprintf("the name %q stands twice in one object", want)
		}
		if got := fmt.Sprint(err); got != want && !(err == nil && want == "none") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// FuzzReadObject compares with encoding/json, and its tokens, what that lets pass.
func FuzzReadObject(f *testing.F) {
	for _, text := range []string{`{"a":1,"a":2}`, `{"a":{"b":"a"},"b":["b",{"a":1}]}`, `{"\u0061":"\\","a":"\""}`, `"a"`, `[[],{}]`, "",
		`{"a":-0.5e+10, "b" : [1,2.0E-1,true,false,null,"\/\b\f\n\r\t"] }`, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":.5}`, `{"a":1e}`, `[1 2]`, `{"a" 1}`, `{"a":1,}`,
		`{"\ud83d\ude80":"\ud83d"}`, "{\"\xff\":1}", `{"a":"\x"}`, `{"a":"\u12g4"}`, `nul`, `{"a":tru}`, "{\"a\":\"\x00\"}", `{}x`, `{"a":{"` + "\xc3\xa9" + `":"` + "\u2028" + `"}}`,
		`{"a":{"b": 1,"c":2}}`, `{"a":[{"b":[1 ]},{"c":2}]}`, `{"a":{"b":1},"c":{"d":2}}`,
		`{` + manyMembers(40) + `,"m7":1}`, `{` + manyMembers(40) + `}`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth), strings.Repeat(`{"a":`, maxDepth) + "{}" + strings.Repeat("}", maxDepth)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		members, isObject, err := readObject(text)
		if want := isStrict(t, text); (err == nil) != want {
			t.Fatalf("%q: %v, and encoding/json says %t", text, err, want)
		}
		var fields map[string]json.RawMessage
		if isObject != (json.Unmarshal(text, &fields) == nil && fields != nil) && err == nil {
			t.Fatalf("%q is an object: %t", text, isObject)
		}
		if err != nil || !isObject {
			return
		}
		for _, m := range members {
			var compact bytes.Buffer
			_ = json.Compact(&compact, m.value)
			if !bytes.Equal(fields[m.name], m.value) || m.spaced != (compact.Len() < len(m.value)) {
				t.Errorf("%q has %q: %q (white space %t), encoding/json has %q", text, m.name, m.value, m.spaced, fields[m.name])
			}
			delete(fields, m.name)
		}
		if len(fields) > 0 {
			t.Errorf("%q lacks %q", text, fields)
		}
	})
}

// What the store keeps must not keep alive a body that was padded.
func TestConfigSharesMemoryWithItsBody(t *testing.T) {
	text := []byte(`{"config":{"a":1}}`)
	members, _, _ := readObject(text)
	var config json.RawMessage
	newBody(members, nil).object("config", &config)
	clear(text)
	if string(config) != `{"a":1}` {
		t.Errorf("the config has become %q", config)
	}
}

func manyMembers(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`"m%d":{"m%d":%d}`, i, i, i)
	}
	return strings.Join(all, ",")
}

// isStrict is what readObject takes, by other means.
func isStrict(t *testing.T, text []byte) bool {
	if !json.Valid(text) || !utf8.Valid(text) || hasHalfCharacter(text) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_, twice := tokenTwice(t, d)
	return !twice
}

// hasHalfCharacter reports whether data, which is JSON, escapes one half of a
// surrogate pair without the other.
func hasHalfCharacter(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		first, ok := unicodeEscape(data[i:])
		if !ok {
			i++ // over what is escaped
			continue
		}
		i += 5
		if !utf16.IsSurrogate(first) {
			continue
		}
		second, _ := unicodeEscape(data[i+1:])
		if utf16.DecodeRune(first, second) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// unicodeEscape returns what an escape like \u00e9 at the start of data says.
func unicodeEscape(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(n), err == nil
}

// tokenTwice returns a member name that stands twice in an object of the next
// value.
func tokenTwice(t *testing.T, d *json.Decoder) (name string, twice bool) {
	open := token(t, d)
	if open != json.Delim('{') && open != json.Delim('[') {
		return "", false
	}
	seen := map[string]bool{}
	for d.More() {
		if open == json.Delim('{') {
			name := token(t, d).(string)
			if seen[name] {
				return name, true
			}
			seen[name] = true
		}
		if name, twice := tokenTwice(t, d); twice {
			return name, true
		}
	}
	token(t, d) // the closing delimiter
	return "", false
}

func token(t *testing.T, d *json.Decoder) json.Token {
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
