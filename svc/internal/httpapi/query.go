package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/oklog/ulid/v2"

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
		q.problems = append(q.problems, conf.FieldError{
			Pointer: pointer(name), Detail: fmt.Sprintf("is %q; it must be an integer from %d to %d", text, lowest, highest)})
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

func (q *query) err() error { return conf.InvalidFields(q.problems) }

// pathID returns the id in the request's path.
func pathID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !isID(id) {
		return "", conf.InvalidFields([]conf.FieldError{notAnID("id", id)})
	}
	return id, nil
}

// isID reports whether s is a ULID in the form that the store assigns: 26
// characters, capitals.
func isID(s string) bool {
	id, err := ulid.ParseStrict(s)
	return err == nil && id.String() == s
}

func notAnID(name, value string) conf.FieldError {
	return conf.FieldError{Pointer: pointer(name), Detail: fmt.Sprintf("is %q; it must be a ULID of 26 characters", value)}
}
