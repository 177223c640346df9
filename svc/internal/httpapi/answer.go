package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"configservice/svc/internal/conf"
)

// An answer is a configuration as it goes over the wire. It does not change:
// one that is cached is written to many clients at a time, and so its values
// of header fields, which net/http only reads.
type answer struct {
	tag    [1]string // the value of ETag
	length [1]string // of Content-Length, once there is a body
	body   []byte
}

// answerOverhead is what an answer costs beside its texts.
const answerOverhead = 64

// Prepare makes a configuration's answer when it comes to be cached. The
// configuration then shares its text.
func Prepare(c *conf.Configuration) (size int) {
	a := newAnswer(c.Revision)
	if a.encode(*c) != nil {
		return len(c.Config) // whoever reads it will be told
	}
	a.body = bytes.Clone(a.body) // without the room that was left
	c.Prepared, c.Config = a, configOf(a.body)
	return answerOverhead + len(a.tag[0]) + len(a.length[0]) + cap(a.body)
}

func newAnswer(revision int64) *answer {
	return &answer{tag: [1]string{etag(revision)}}
}

func (a *answer) encode(c conf.Configuration) error {
	body, err := c.AppendJSON(make([]byte, 0, answerSize(c)))
	a.body = append(body, '\n')
	a.length[0] = strconv.Itoa(len(a.body))
	return err
}

// answerSize is how long an answer is at most, unless it has escapes.
func answerSize(c conf.Configuration) int {
	const names, numbers, times = 130, 40, 60
	n := names + numbers + times + len(c.ID) + len(c.ApplicationID) + len(c.Name) + len(c.Config)
	if c.Comments != nil {
		n += len(*c.Comments)
	}
	return n
}

// configOf returns the part of an answer's body that is the config. No text
// before it has these quotation marks, which would be escaped there; and after
// it come numbers and times alone.
func configOf(body []byte) json.RawMessage {
	const before, after = `,"config":`, `,"version":`
	start := bytes.Index(body, []byte(before)) + len(before)
	end := bytes.LastIndex(body, []byte(after))
	return body[start:end:end]
}

// known reports whether the client has what a says already (RFC 9110, section
// 13.1.2).
func (a *answer) known(r *http.Request) bool {
	return listed(r.Header["If-None-Match"], a.tag[0], true)
}

// A fixedHeader is what every answer with a configuration has in its header.
type fixedHeader struct{ contentType, nosniff []string }

func newFixedHeader() fixedHeader {
	return fixedHeader{contentType: []string{"application/json"}, nosniff: []string{"nosniff"}}
}

func (a *answer) writeNotModified(w http.ResponseWriter) {
	w.Header()["Etag"] = a.tag[:]
	w.WriteHeader(http.StatusNotModified)
}

func (a *answer) write(w http.ResponseWriter, status int, fixed fixedHeader) {
	h := w.Header()
	h["Etag"] = a.tag[:]
	h["Content-Length"] = a.length[:]
	h["Content-Type"] = fixed.contentType
	h["X-Content-Type-Options"] = fixed.nosniff
	w.WriteHeader(status)
	w.Write(a.body) // fails only when the client is gone, and then nobody is left to tell
}
