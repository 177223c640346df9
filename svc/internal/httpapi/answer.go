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
	tag    []string // the value of ETag
	length []string // of Content-Length
	body   []byte
}

// answerOverhead is what an answer costs beside its texts: the struct, two
// slices of one value, and their pointers.
const answerOverhead = 160

// Prepare makes a configuration's answer when it comes to be cached.
func Prepare(c conf.Configuration) (prepared any, size int) {
	a := &answer{tag: []string{etag(c.Revision)}}
	if a.encode(c) != nil {
		return nil, 0 // whoever reads it will be told
	}
	return a, answerOverhead + len(a.tag[0]) + len(a.length[0]) + cap(a.body)
}

func (a *answer) encode(c conf.Configuration) error {
	body, err := encode(c)
	a.body, a.length = body, []string{strconv.Itoa(len(body))}
	return err
}

// encode returns v as JSON in a slice with no room to spare.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a configuration's text comes back as it went in
	err := enc.Encode(v)
	return bytes.Clone(b.Bytes()), err
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
	w.Header()["Etag"] = a.tag
	w.WriteHeader(http.StatusNotModified)
}

func (a *answer) write(w http.ResponseWriter, fixed fixedHeader) {
	h := w.Header()
	h["Etag"] = a.tag
	h["Content-Length"] = a.length
	h["Content-Type"] = fixed.contentType
	h["X-Content-Type-Options"] = fixed.nosniff
	w.WriteHeader(http.StatusOK)
	w.Write(a.body) // fails only when the client is gone, and then nobody is left to tell
}
