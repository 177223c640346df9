package httpapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
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
		name, found := nameTwice([]byte(text))
		if !found {
			name = "none"
		}
		if name != want {
			t.Errorf("%s: got %q, want %q", text, name, want)
		}
	}
}

// FuzzNameTwice compares with encoding/json's tokens.
func FuzzNameTwice(f *testing.F) {
	for _, text := range []string{`{"a":1,"a":2}`, `{"a":{"b":"a"},"b":["b",{"a":1}]}`, `{"\u0061":"\\","a":"\""}`, `"a"`, `[[],{}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return // nameTwice promises nothing for what is not JSON
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		want, twice := tokenTwice(t, d)
		if name, found := nameTwice(text); found != twice || name != want {
			t.Errorf("%s: got %q %t, encoding/json has %q %t", strings.ToValidUTF8(string(text), "?"), name, found, want, twice)
		}
	})
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
