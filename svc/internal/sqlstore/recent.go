package sqlstore

import (
	"bytes"

	"configservice/svc/internal/conf"
)

// A recent is what has lately been written, so that the next write of the same
// configuration need not ask the engine for it. It is true for as long as nobody
// else has written, which the store's last commit tells.
type recent struct {
	revision, committedAt int64 // of the commit as of which it is true
	bytes                 int   // of all, about
	configurations        map[string]conf.Configuration
}

// maxRecent bounds the bytes of what is remembered.
const maxRecent = 4 << 20

// asOf leaves what is true as of the last commit, for a unit that begins with it
// and calls keep once it has been committed itself. Not the revision alone is
// compared: a server that has lost commits gives the same out again.
func (r *recent) asOf(h head) {
	if r.revision != h.revision || r.committedAt != h.committedAt {
		r.forget()
	}
	r.revision = -1
}

// keep makes it true as of a commit.
func (r *recent) keep(h head) { r.revision, r.committedAt = h.revision, h.committedAt }

func (r *recent) forget() { r.bytes, r.configurations = 0, nil }

// get returns a configuration, of which the caller may change all.
func (r *recent) get(id string) (c conf.Configuration, ok bool) {
	c, ok = r.configurations[id]
	c.Config = bytes.Clone(c.Config)
	return c, ok
}

// put remembers a configuration as a change has left it.
func (r *recent) put(operation string, c conf.Configuration) {
	if old, ok := r.configurations[c.ID]; ok {
		r.bytes -= weight(old)
	}
	if operation == conf.Delete {
		delete(r.configurations, c.ID)
		return
	}
	if r.bytes += weight(c); r.bytes > maxRecent || r.configurations == nil {
		r.bytes, r.configurations = weight(c), map[string]conf.Configuration{}
	}
	r.configurations[c.ID] = c
}

// weight is about what it takes to remember a configuration, its place in the map
// included.
func weight(c conf.Configuration) int {
	w := 400 + len(c.Name) + len(c.Config)
	if c.Comments != nil {
		w += len(*c.Comments)
	}
	return w
}
