package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	"configservice/svc/internal/conf"
)

// A body is the JSON object that a request carries, taken apart so that
// everything wrong with it is told at once, each field by its pointer.
type body struct {
	fields   []member // in order of their names
	problems []conf.FieldError
}

const mergePatchType = "application/merge-patch+json"

// maxGrant is the largest memory, in bytes, that a body gets for its word on how
// long it is.
const maxGrant = 64 << 10

// readBody reads the request's body as one JSON object of the fields in known.
func (s *server) readBody(w http.ResponseWriter, r *http.Request, known ...string) (*body, error) {
	if err := checkMediaType(r); err != nil {
		return nil, err
	}
	var data bytes.Buffer
	data.Grow(int(min(max(r.ContentLength, 0), maxGrant)) + bytes.MinRead) // which ReadFrom wants for the end
	_, err := data.ReadFrom(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, conf.Errorf(codeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, conf.Errorf(codeNotJSON, "the body could not be read to its end")
	}
	members, isObject, err := readObject(data.Bytes())
	if err != nil {
		return nil, conf.Errorf(codeNotJSON, "the body is not JSON: %s", err)
	}
	if !isObject {
		return nil, &conf.Error{Code: conf.Invalid, Detail: "the body must be a JSON object",
			Fields: []conf.FieldError{{Pointer: "", Detail: "must be a JSON object"}}}
	}
	return newBody(members, known), nil
}

func newBody(members []member, known []string) *body {
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	b := &body{fields: members}
	for _, f := range b.fields {
		if !slices.Contains(known, f.name) {
			b.problem(pointer(f.name), "is not a known field")
		}
	}
	return b
}

// field returns the field of this name, or nil.
func (b *body) field(name string) *member {
	for i := range b.fields {
		if f := &b.fields[i]; f.name == name {
			return f
		}
	}
	return nil
}

// checkMediaType accepts what the contract does: JSON, and a merge patch where
// it is one.
func checkMediaType(r *http.Request) error {
	header := r.Header.Get("Content-Type")
	if header == "application/json" { // as most write it
		return nil
	}
	mediaType, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	isJSON := mediaType == "application/json" || mediaType == mergePatchType && r.Method == http.MethodPatch
	if err == nil && isJSON && (charset == "" || charset == "utf-8") {
		return nil
	}
	return conf.Errorf(codeUnsupportedMediaType, "the Content-Type is %q; send application/json", header)
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
	f := b.field(name)
	switch {
	case f == nil:
	case f.value[0] == '"':
		*dst = string(unquote(f.value))
	case f.value[0] == 'n':
		b.problem(pointer(name), "must be a string, not null")
	default:
		b.problem(pointer(name), "must be a string")
	}
}

// nullableString is like string for a field that may be null.
func (b *body) nullableString(name string, dst **string) {
	f := b.field(name)
	switch {
	case f == nil:
	case f.value[0] == '"':
		text := string(unquote(f.value))
		*dst = &text
	case f.value[0] == 'n':
		*dst = nil
	default:
		b.problem(pointer(name), "must be a string or null")
	}
}

// version is like string for a field that is the number of a version.
func (b *body) version(name string, dst *int64) {
	f := b.field(name)
	if f == nil {
		return
	}
	var ok bool
	if *dst, ok = parseVersion(string(f.value)); !ok {
		b.problem(pointer(name), "must be "+versionForm)
	}
}

// object is like string for a field that is a JSON object, which keeps its
// text but for white space. It does not keep the rest of the body in memory.
func (b *body) object(name string, dst *json.RawMessage) {
	f := b.field(name)
	if f == nil {
		return
	}
	if f.value[0] != '{' {
		b.problem(pointer(name), "must be a JSON object")
		return
	}
	if !f.spaced {
		*dst = bytes.Clone(f.value)
		return
	}
	var compact bytes.Buffer
	json.Compact(&compact, f.value) // it has been parsed before
	*dst = compact.Bytes()
}

// require reports the fields of names that the body lacks.
func (b *body) require(names ...string) {
	for _, name := range names {
		if b.field(name) == nil {
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
