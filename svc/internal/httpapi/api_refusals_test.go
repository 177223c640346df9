package httpapi_test

import (
	"net/url"
	"strings"
)

// wrongBodies are the bodies that no write takes, whatever its fields are.
func wrongBodies(method, path string) []refusal {
	refuse := func(name string, status int, code, body string, pointers ...string) refusal {
		return refusal{name: name, status: status, code: code, pointers: pointers,
			call: call{method: method, path: path, body: body}}
	}
	notJSON := func(name, body string) refusal { return refuse(name, 400, "not_json", body) }
	// To OpenAPI, which sees the value and not its text, these are right.
	ambiguous := func(name, body string) refusal {
		r := notJSON(name, body)
		r.beyond = name
		return r
	}
	notObject := func(name, body string) refusal { return refuse(name, 422, "", body, "") }
	all := []refusal{
		notJSON("an empty body", ""),
		notJSON("white space", " \n"),
		notJSON("words", "name=x"),
		notJSON("half a body", `{"name":"x"`),
		notJSON("single quotes", `{'name':'x'}`),
		notJSON("a trailing comma", `{"name":"x",}`),
		notJSON("a comment", `{"name":"x"/* why */}`),
		notJSON("NaN", `{"name":NaN}`),
		notJSON("a raw line break in a string", "{\"name\":\"a\nb\"}"),
		notJSON("a byte order mark", "\ufeff{\"name\":\"x\"}"),
		notJSON("a bottomless array", strings.Repeat("[", 200_000)),
		ambiguous("two bodies", `{"name":"x"}{"name":"y"}`),
		ambiguous("a body and a rest", `{"name":"x"} x`),
		ambiguous("a field twice", `{"name":"x","name":"y"}`),
		ambiguous("a field twice, once escaped", `{"name":"x","\u006eame":"y"}`),
		ambiguous("ill-formed UTF-8", "{\"name\":\"x\xff\"}"),
		ambiguous("half a character", `{"name":"x\ud83d"}`),
		ambiguous("half a character before an escape", `{"name":"\ud83d\n\ude80"}`),
		ambiguous("the halves in the wrong order", `{"name":"\ude80\ud83d"}`),
		ambiguous("half a character in a field's name", `{"name":"x","\udc00":1}`),
		notObject("an array", `[]`),
		notObject("a string", `"x"`),
		notObject("a number", `1`),
		notObject("null", `null`),
		notObject("true", `true`),
	}
	return append(all, wrongMediaTypes(method, path)...)
}

func wrongMediaTypes(method, path string) []refusal {
	var all []refusal
	types := []string{"", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"application/xml", "application/jsonp", "application", "application/json; charset=utf-16", "application/json, text/plain"}
	if method != "PATCH" {
		types = append(types, "application/merge-patch+json")
	}
	for _, mediaType := range types {
		r := refusal{name: "as " + mediaType, status: 415, code: "unsupported_media_type", call: call{
			method: method, path: path, body: `{"name":"x"}`, header: map[string]string{"Content-Type": mediaType}}}
		if strings.Contains(mediaType, "charset") {
			r.beyond = "a parameter of the media type"
		}
		all = append(all, r)
	}
	return all
}

// wrongFields are the values that name and comments must not have. start is
// a body that is right up to there.
func wrongFields(method, path, start string) []refusal {
	refuse := func(name, body string, pointers ...string) refusal {
		return refusal{name: name, status: 422, pointers: pointers, call: call{method: method, path: path, body: start + body}}
	}
	long := strings.Repeat("é", 257)
	return []refusal{
		refuse("an empty name", `"name":""}`, "/name"),
		refuse("a name of 257 characters", `"name":"`+long+`"}`, "/name"),
		refuse("a name with a line break", `"name":"a\nb"}`, "/name"),
		refuse("a name with NUL", `"name":"a\u0000b"}`, "/name"),
		refuse("a name that is null", `"name":null}`, "/name"),
		refuse("a name that is a number", `"name":5}`, "/name"),
		refuse("a name that is an object", `"name":{}}`, "/name"),
		refuse("comments of 1025 characters", `"name":"x","comments":"`+strings.Repeat("é", 1025)+`"}`, "/comments"),
		refuse("comments with NUL", `"name":"x","comments":"\u0000"}`, "/comments"),
		refuse("comments that are an array", `"name":"x","comments":["x"]}`, "/comments"),
		refuse("an unknown field", `"name":"x","colour":"red"}`, "/colour"),
		refuse("a field in other capitals", `"name":"x","Comments":"x"}`, "/Comments"),
		refuse("a field of the server's", `"name":"x","id":"`+absent+`","revision":1}`, "/id", "/revision"),
		refuse("an unknown field that needs escaping", `"name":"x","a/b~c":1}`, "/a~1b~0c"),
		refuse("an unknown field without a name", `"name":"x","":1}`, "/"),
		refuse("all of it at once", `"name":"`+long+`","comments":7,"colour":"red"}`, "/colour", "/comments", "/name"),
		refuse("two values out of bounds", `"name":"","comments":"`+strings.Repeat("x", 1025)+`"}`, "/comments", "/name"),
	}
}

// wrongIDs are identifiers that are none.
func wrongIDs(method, prefix, suffix string) []refusal {
	var all []refusal
	for name, id := range map[string]string{
		"a word":                   "x",
		"a number":                 "1",
		"a UUID":                   "0192f4a1-5c3e-7b21-9d0e-3f5a6b7c8d9e",
		"25 characters":            absent[:25],
		"27 characters":            absent + "0",
		"a letter that is not in":  "01ARZ3NDEKTSV4RRFFQ69G5FAU",
		"one too great":            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
		"small letters":            strings.ToLower(absent),
		"a space behind":           absent + " ",
		"a quote":                  "' OR 1=1 --",
		"a slash":                  "a/b",
		"letters of another world": "०१२३४५६७८९०१२३४५६७८९०१२३४५",
	} {
		r := refusal{name: "id: " + name, status: 422, pointers: []string{"/id"},
			call: call{method: method, path: prefix + url.PathEscape(id) + suffix}}
		if method == "PUT" || method == "PATCH" {
			r.body = `{"name":"x"}`
		}
		all = append(all, r)
	}
	return all
}
