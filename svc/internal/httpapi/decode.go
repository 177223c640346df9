package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"configservice/svc/internal/conf"
)

// A body is the JSON object that a request carries, taken apart so that
// everything wrong with it is told at once, each field by its pointer.
type body struct {
	fields   map[string]json.RawMessage
	problems []conf.FieldError
}

const mergePatchType = "application/merge-patch+json"

// readBody reads the request's body as one JSON object of the fields in known.
func (s *server) readBody(w http.ResponseWriter, r *http.Request, known ...string) (*body, error) {
	if err := checkMediaType(r); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, conf.Errorf(codeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, conf.Errorf(codeNotJSON, "the body could not be read to its end")
	}
	if err := checkJSON(data); err != nil {
		return nil, conf.Errorf(codeNotJSON, "the body is not JSON: %s", err)
	}
	b := &body{}
	if json.Unmarshal(data, &b.fields) != nil || b.fields == nil {
		return nil, &conf.Error{Code: conf.Invalid, Detail: "the body must be a JSON object",
			Fields: []conf.FieldError{{Pointer: "", Detail: "must be a JSON object"}}}
	}
	for _, name := range slices.Sorted(maps.Keys(b.fields)) {
		if !slices.Contains(known, name) {
			b.problem(pointer(name), "is not a known field")
		}
	}
	return b, nil
}

// checkMediaType accepts what the contract does: JSON, and a merge patch where
// it is one.
func checkMediaType(r *http.Request) error {
	header := r.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	isJSON := mediaType == "application/json" || mediaType == mergePatchType && r.Method == http.MethodPatch
	if err == nil && isJSON && (charset == "" || charset == "utf-8") {
		return nil
	}
	return conf.Errorf(codeUnsupportedMediaType, "the Content-Type is %q; send application/json", header)
}

// checkJSON reports why data is not one JSON value that means the same to
// every reader: encoding/json lets ill-formed UTF-8, members of the same name
// and halves of characters pass (RFC 8259, sections 8.1, 4 and 8.2), and
// replaces what it cannot read.
func checkJSON(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	var v json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	if !utf8.Valid(data) {
		return errors.New("it is not valid UTF-8")
	}
	if hasHalfCharacter(data) {
		return errors.New(`it has an escape like \ud800 that is half a character`)
	}
	if name, found := nameTwice(data); found {
		return fmt.Errorf("the name %q stands twice in one object", name)
	}
	return nil
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

// nameTwice returns a member name that stands twice in one object of data,
// which is JSON.
func nameTwice(data []byte) (name string, found bool) {
	var around []map[string]bool // the names of each object around; nil for an array
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			around = append(around, map[string]bool{})
		case '[':
			around = append(around, nil)
		case '}', ']':
			around = around[:len(around)-1]
		case '"':
			literal := stringLiteral(data[i:])
			i += len(literal) - 1
			if !bytes.HasPrefix(bytes.TrimLeft(data[i+1:], " \t\r\n"), []byte{':'}) {
				continue
			}
			name, names := unquote(literal), around[len(around)-1]
			if names[name] {
				return name, true
			}
			names[name] = true
		}
	}
	return "", false
}

// stringLiteral returns the string, quotes included, that data begins with.
func stringLiteral(data []byte) []byte {
	for i := 1; ; i++ {
		switch data[i] {
		case '\\':
			i++ // over what is escaped
		case '"':
			return data[:i+1]
		}
	}
}

// unquote returns what a string says that is JSON.
func unquote(literal []byte) (s string) {
	if !bytes.ContainsRune(literal, '\\') {
		return string(literal[1 : len(literal)-1])
	}
	_ = json.Unmarshal(literal, &s) // it has been checked
	return s
}

// pointer makes a JSON Pointer of one member name (RFC 6901).
func pointer(name string) string {
	name = strings.ReplaceAll(name, "~", "~0")
	return "/" + strings.ReplaceAll(name, "/", "~1")
}

func (b *body) problem(pointer, detail string) {
	b.problems = append(b.problems, conf.FieldError{Pointer: pointer, Detail: detail})
}

// string sets *dst to the field's value, and leaves it alone when the body
// does not have the field.
func (b *body) string(name string, dst *string) {
	var value *string
	if b.value(name, &value, "must be a string") {
		if value == nil {
			b.problem(pointer(name), "must be a string, not null")
			return
		}
		*dst = *value
	}
}

// nullableString is like string for a field that may be null.
func (b *body) nullableString(name string, dst **string) {
	var value *string
	if b.value(name, &value, "must be a string or null") {
		*dst = value
	}
}

// version is like string for a field that is the number of a version.
func (b *body) version(name string, dst *int64) {
	raw, ok := b.fields[name]
	if !ok {
		return
	}
	if *dst, ok = parseVersion(string(raw)); !ok {
		b.problem(pointer(name), "must be "+versionForm)
	}
}

// object is like string for a field that is a JSON object, which keeps its
// text but for white space.
func (b *body) object(name string, dst *json.RawMessage) {
	raw, ok := b.fields[name]
	if !ok {
		return
	}
	if raw[0] != '{' {
		b.problem(pointer(name), "must be a JSON object")
		return
	}
	var compact bytes.Buffer
	json.Compact(&compact, raw) // it has been parsed before
	*dst = compact.Bytes()
}

func (b *body) value(name string, dst any, want string) bool {
	raw, ok := b.fields[name]
	if !ok {
		return false
	}
	if json.Unmarshal(raw, dst) != nil {
		b.problem(pointer(name), want)
		return false
	}
	return true
}

// require reports the fields of names that the body lacks.
func (b *body) require(names ...string) {
	for _, name := range names {
		if _, ok := b.fields[name]; !ok {
			b.problem(pointer(name), "is required")
		}
	}
}

// err returns all that is wrong: with the body itself, and what the domain
// says of the resource made from it, where the body's own fault is not the
// reason.
func (b *body) err(domain error) error {
	fields := slices.Clone(b.problems)
	if e, ok := errors.AsType[*conf.Error](domain); ok {
		for _, f := range e.Fields {
			if !slices.ContainsFunc(fields, func(g conf.FieldError) bool { return g.Pointer == f.Pointer }) {
				fields = append(fields, f)
			}
		}
	}
	return conf.InvalidFields(fields)
}
