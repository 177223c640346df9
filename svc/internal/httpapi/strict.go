package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep values may be inside of each other: as deep as
// encoding/json goes, with which they are read again.
const maxDepth = 10000

// errSyntax stands for what encoding/json has better words for.
var errSyntax = errors.New("it is malformed")

// A member is one of an object. The text of its value is part of the object's.
type member struct {
	name   string
	value  []byte
	spaced bool // there is white space in the value, between its parts
}

// readObject takes apart an object that means the same to every reader, in one
// pass: encoding/json lets ill-formed UTF-8, members of the same name and halves
// of characters pass (RFC 8259, sections 8.1, 4 and 8.2), and replaces what it
// cannot read. For other JSON that does, it returns false.
func readObject(text []byte) (members []member, isObject bool, err error) {
	s := scanner{text: text}
	s.names = s.few[:0]
	s.space()
	if isObject = s.next() == '{'; isObject {
		members = make([]member, 0, 4) // as many as any resource has
		err = s.object(1, &members)
	} else {
		err = s.value(0)
	}
	if s.space(); err == nil && s.at < len(text) {
		err = errSyntax
	}
	if err == errSyntax {
		err = syntaxFault(text)
	}
	return members, isObject, err
}

// syntaxFault returns what is wrong with text, in encoding/json's words.
func syntaxFault(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty")
	}
	var v json.RawMessage
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return errSyntax
}

// A scanner goes over JSON text. Its methods begin where a part of the grammar
// begins and leave it behind the part.
type scanner struct {
	text   []byte
	at     int
	spaced bool       // there was white space
	names  [][]byte   // of the objects around, the outermost's first
	few    [16][]byte // room for those of most texts
}

// next returns the byte that comes, 0 at the end.
func (s *scanner) next() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// skip goes over c, which is not 0, and reports whether it was there.
func (s *scanner) skip(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) space() {
	for s.at < len(s.text) && s.text[s.at] <= ' ' {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at, s.spaced = s.at+1, true
		default:
			return
		}
	}
}

func (s *scanner) value(depth int) error {
	switch c := s.next(); c {
	case '{':
		return s.object(depth+1, nil)
	case '[':
		return s.array(depth + 1)
	case '"':
		_, err := s.string()
		return err
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.text[s.at:], []byte(w)) {
		return errSyntax
	}
	s.at += len(w)
	return nil
}

func (s *scanner) number() error {
	s.skip('-')
	if !s.skip('0') && !s.digits() {
		return errSyntax
	}
	if s.skip('.') && !s.digits() {
		return errSyntax
	}
	if s.skip('e') || s.skip('E') {
		if !s.skip('+') {
			s.skip('-')
		}
		if !s.digits() {
			return errSyntax
		}
	}
	return nil
}

// digits reports whether there is at least one.
func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}

func (s *scanner) array(depth int) error {
	if depth > maxDepth {
		return errSyntax
	}
	s.at++
	if s.space(); s.skip(']') {
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		if s.space(); s.skip(']') {
			return nil
		}
		if !s.skip(',') {
			return errSyntax
		}
		s.space()
	}
}

// object also adds the members to those of into, unless that is nil.
func (s *scanner) object(depth int, into *[]member) error {
	if depth > maxDepth {
		return errSyntax
	}
	s.at++
	if s.space(); s.skip('}') {
		return nil
	}
	names := nameSet{s: s, base: len(s.names)}
	for {
		if err := s.member(depth, &names, into); err != nil {
			return err
		}
		if s.space(); s.skip('}') {
			s.names = s.names[:names.base]
			return nil
		}
		if !s.skip(',') {
			return errSyntax
		}
		s.space()
	}
}

func (s *scanner) member(depth int, names *nameSet, into *[]member) error {
	name, err := s.name(names)
	if err != nil {
		return err
	}
	start, spaced := s.at, s.spaced
	s.spaced = false
	if err := s.value(depth); err != nil {
		return err
	}
	if into != nil {
		*into = append(*into, member{string(name), s.text[start:s.at], s.spaced})
	}
	s.spaced = s.spaced || spaced
	return nil
}

// name goes over a member's name, which must not be one of names, up to its
// value.
func (s *scanner) name(names *nameSet) ([]byte, error) {
	if s.next() != '"' {
		return nil, errSyntax
	}
	literal, err := s.string()
	if err != nil {
		return nil, err
	}
	name := unquote(literal)
	if !names.add(name) {
		return nil, fmt.Errorf("the name %q stands twice in one object", name)
	}
	if s.space(); !s.skip(':') {
		return nil, errSyntax
	}
	s.space()
	return name, nil
}

// manyNames is from how many on names are looked up, rather than looked at.
const manyNames = 16

// A nameSet has the names of one object.
type nameSet struct {
	s    *scanner
	base int // of s.names
	many map[string]bool
}

// add reports whether the name is new.
func (n *nameSet) add(name []byte) bool {
	few := n.s.names[n.base:]
	if n.many == nil && len(few) == manyNames {
		n.many = map[string]bool{}
		for _, name := range few {
			n.many[string(name)] = true
		}
	}
	if n.many != nil {
		count := len(n.many)
		n.many[string(name)] = true
		return len(n.many) > count
	}
	if slices.ContainsFunc(few, func(other []byte) bool { return bytes.Equal(other, name) }) {
		return false
	}
	n.s.names = append(n.s.names, name)
	return true
}

// string goes over a string and returns it with its quotes.
func (s *scanner) string() (literal []byte, err error) {
	start := s.at
	for s.at++; s.at < len(s.text); {
		s.plain()
		switch c := s.next(); {
		case c == '"':
			s.at++
			return s.text[start:s.at], nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, errSyntax
		default:
			r, size := utf8.DecodeRune(s.text[s.at:])
			if r == utf8.RuneError && size == 1 {
				return nil, errors.New("it is not valid UTF-8")
			}
			s.at += size
		}
	}
	return nil, errSyntax
}

// plain goes over the characters that stand for themselves in one byte.
func (s *scanner) plain() {
	at := s.at
	for at < len(s.text) && s.text[at] >= ' ' && s.text[at] < utf8.RuneSelf && s.text[at] != '"' && s.text[at] != '\\' {
		at++
	}
	s.at = at
}

// escape goes over a backslash and what it escapes.
func (s *scanner) escape() error {
	s.at++
	c := s.next()
	if s.at++; c != 'u' {
		if !bytes.Contains([]byte(`"\/bfnrt`), []byte{c}) {
			return errSyntax
		}
		return nil
	}
	first, err := s.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return err
	}
	second := rune(0)
	if bytes.HasPrefix(s.text[s.at:], []byte(`\u`)) {
		s.at += 2
		if second, err = s.hex(); err != nil {
			return err
		}
	}
	if utf16.DecodeRune(first, second) == utf8.RuneError {
		return errors.New(`it has an escape like \ud800 that is half a character`)
	}
	return nil
}

// hex goes over four hexadecimal digits.
func (s *scanner) hex() (r rune, err error) {
	for range 4 {
		c := s.next()
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, errSyntax
		}
		s.at++
		r = r<<4 | rune(c)
	}
	return r, nil
}

// unquote returns what a string says that has been gone over.
func unquote(literal []byte) []byte {
	if !bytes.ContainsRune(literal, '\\') {
		return literal[1 : len(literal)-1]
	}
	var s string
	_ = json.Unmarshal(literal, &s) // it has been checked
	return []byte(s)
}
