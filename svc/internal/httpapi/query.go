package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"configservice/svc/internal/conf"
)

// A query is the request's query string; it collects what is wrong with it.
type query struct {
	values   url.Values
	problems []conf.FieldError
}

func readQuery(r *http.Request) (*query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, conf.InvalidFields([]conf.FieldError{{Pointer: "", Detail: "the query string is malformed: " + err.Error()}})
	}
	return &query{values: values}, nil
}

func (q *query) window() conf.Window {
	return conf.Window{
		Limit:  q.integer("limit", conf.DefaultLimit, 1, conf.MaxLimit),
		Offset: q.integer("offset", 0, 0, 1<<31-1),
	}
}

// integer returns the parameter, or def where it is absent or empty.
func (q *query) integer(name string, def, lowest, highest int) int {
	text := q.values.Get(name)
	if text == "" {
		return def
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < lowest || n > highest {
		q.problem(name, fmt.Sprintf("is %q; it must be an integer from %d to %d", text, lowest, highest))
	}
	return n
}

// id returns the parameter, which is an id, or "" where it is absent or empty.
func (q *query) id(name string) string {
	id := q.values.Get(name)
	if id != "" && !isID(id) {
		q.problems = append(q.problems, notAnID(name, id))
	}
	return id
}

// version returns the parameter, which is the number of a version and must be
// there.
func (q *query) version(name string) int64 {
	text := q.values.Get(name)
	n, ok := parseVersion(text)
	if text == "" {
		q.problem(name, "is required")
	} else if !ok {
		q.problem(name, notAVersion(text))
	}
	return n
}

// point returns the parameter, which is a revision or a time, or nil where it
// is absent or empty.
func (q *query) point(name string) *conf.Point {
	text := q.values.Get(name)
	if text == "" {
		return nil
	}
	var at conf.Point
	var ok bool
	if at.Revision, ok = parseVersion(text); ok {
		return &at
	}
	if at.Time, ok = parseTime(text); !ok {
		q.problem(name, fmt.Sprintf("is %q; it must be a revision from 1 or a time like 2026-03-14T09:26:53Z", text))
	}
	return &at
}

// parseTime is as strict as RFC 3339, which time.Parse is not: it takes a
// comma for a point, and an hour of one digit.
func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil && !strings.Contains(text, ",") && text[len("2006-01-02T1")] != ':'
}

func (q *query) problem(name, detail string) {
	q.problems = append(q.problems, conf.FieldError{Pointer: pointer(name), Detail: detail})
}

func (q *query) err() error { return conf.InvalidFields(q.problems) }

// pathID returns the id in the request's path.
func pathID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !isID(id) {
		return "", conf.InvalidFields([]conf.FieldError{notAnID("id", id)})
	}
	return id, nil
}

// pathVersion returns the number of the version in the request's path.
func pathVersion(r *http.Request) (int64, error) {
	text := r.PathValue("version")
	n, ok := parseVersion(text)
	if !ok {
		return 0, conf.InvalidFields([]conf.FieldError{{Pointer: "/version", Detail: notAVersion(text)}})
	}
	return n, nil
}

const versionForm = "an integer from 1"

func notAVersion(text string) string { return fmt.Sprintf("is %q; it must be %s", text, versionForm) }

// parseVersion reads the number of a version or a revision in the one form
// that it has.
func parseVersion(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0 && strconv.FormatInt(n, 10) == text
}

// isID reports whether s is a ULID in the form that the store assigns: 26
// characters of Crockford's base 32, capitals, of no more than 128 bits.
func isID(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < '0' || c > 'Z' || c > '9' && c < 'A' || c == 'I' || c == 'L' || c == 'O' || c == 'U' {
			return false
		}
	}
	return true
}

func notAnID(name, value string) conf.FieldError {
	return conf.FieldError{Pointer: pointer(name), Detail: fmt.Sprintf("is %q; it must be a ULID of 26 characters", value)}
}
