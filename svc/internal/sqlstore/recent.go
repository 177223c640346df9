package sqlstore

import "configservice/svc/internal/conf"

// A recent is what has lately been written, so that the next write of the same
// configuration need not ask the engine for it. It is true for as long as nobody
// else has written, which the store's revision tells.
type recent struct {
	revision       int64 // as of which it is true
	bytes          int   // of all configs
	configurations map[string]conf.Configuration
}

// maxRecent bounds the bytes of the configs that are remembered.
const maxRecent = 4 << 20

// asOf returns what is true as of a revision, for a unit that begins with it and
// says as of which it is true once it has been committed.
func (r *recent) asOf(revision int64) *recent {
	if r.revision != revision {
		r.forget()
	}
	r.revision = -1
	return r
}

func (r *recent) forget() { r.bytes, r.configurations = 0, nil }

// put remembers a configuration as a change has left it.
func (r *recent) put(operation string, c conf.Configuration) {
	r.bytes -= len(r.configurations[c.ID].Config)
	if operation == conf.Delete {
		delete(r.configurations, c.ID)
		return
	}
	if r.bytes += len(c.Config); r.bytes > maxRecent || r.configurations == nil {
		r.bytes, r.configurations = len(c.Config), map[string]conf.Configuration{}
	}
	r.configurations[c.ID] = c
}
