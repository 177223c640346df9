package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"configservice/svc/internal/conf"
)

// etag is the strong validator of a resource: the revision of its last change
// is unique in the store, also for a name that was deleted and made anew.
func etag(revision int64) string {
	return `"` + strconv.FormatInt(revision, 10) + `"`
}

// notModified reports whether the client already has revision, and if so
// answers 304 (RFC 9110, section 13.1.2).
func notModified(w http.ResponseWriter, r *http.Request, revision int64) bool {
	tag := etag(revision)
	w.Header().Set("ETag", tag)
	if !listed(r.Header.Values("If-None-Match"), tag, true) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// checkMatch is the compare of compare-and-set: it refuses a change of what
// the client has not seen (RFC 9110, section 13.1.1). The refusal tells how new
// the resource is, for the client to read it at least that new.
func checkMatch(w http.ResponseWriter, r *http.Request, revision int64) error {
	tag := etag(revision)
	want := r.Header.Values("If-Match")
	if len(want) == 0 || listed(want, tag, false) {
		return nil
	}
	w.Header().Set("ETag", tag)
	setRevision(w, revision)
	return conf.Errorf(conf.PreconditionFailed, "the resource has changed: its ETag is now %s; read it again and repeat the change", tag)
}

// listed reports whether tag, which is strong, is in a header's list of entity
// tags. A weak one in the list matches by weak comparison only.
func listed(header []string, tag string, weakly bool) bool {
	for _, line := range header {
		for rest := line; rest != ""; {
			var item string
			item, rest = nextTag(rest)
			if weakly {
				item = strings.TrimPrefix(item, "W/")
			}
			if item == "*" || item == tag {
				return true
			}
		}
	}
	return false
}

// nextTag cuts the first element off a list of entity tags. A comma inside
// quotes does not separate.
func nextTag(list string) (tag, rest string) {
	quoted := false
	for i, c := range list {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return strings.TrimSpace(list[:i]), list[i+1:]
		}
	}
	return strings.TrimSpace(list), ""
}
