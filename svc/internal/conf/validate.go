package conf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the fields, in characters.
const (
	MaxName     = 256
	MaxComments = 1024
)

// problems collects what is wrong with a resource, so that all of it is told
// at once.
type problems []FieldError

func (p *problems) add(pointer, detail string) {
	*p = append(*p, FieldError{Pointer: pointer, Detail: detail})
}

func (p *problems) name(s string) {
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		p.add("/name", "must not be empty")
	case n > MaxName:
		p.add("/name", fmt.Sprintf("has %d characters, at most %d are allowed", n, MaxName))
	case !utf8.ValidString(s):
		p.add("/name", "is not valid UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		p.add("/name", "must not contain control characters")
	}
}

func (p *problems) comments(s *string) {
	if s == nil {
		return
	}
	switch n := utf8.RuneCountInString(*s); {
	case n > MaxComments:
		p.add("/comments", fmt.Sprintf("has %d characters, at most %d are allowed", n, MaxComments))
	case !utf8.ValidString(*s):
		p.add("/comments", "is not valid UTF-8")
	case strings.ContainsRune(*s, 0):
		p.add("/comments", "must not contain U+0000")
	}
}

func (p problems) err() error { return InvalidFields(p) }

// InvalidFields returns one error of code [Invalid] that names all the fields
// at fault, and nil when there is none.
func InvalidFields(fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	detail := strings.TrimSpace(strings.TrimPrefix(fields[0].Pointer, "/") + " " + fields[0].Detail)
	if more := len(fields) - 1; more > 0 {
		detail += fmt.Sprintf(" (and %d more)", more)
	}
	return &Error{Code: Invalid, Detail: detail, Fields: fields}
}

// isObject also asks for UTF-8 (RFC 8259, 8.1), which [json.Valid] does not.
func isObject(raw json.RawMessage) bool {
	return utf8.Valid(raw) && bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) && json.Valid(raw)
}
