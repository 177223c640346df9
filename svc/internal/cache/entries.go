package cache

import (
	"strings"

	"configservice/svc/internal/conf"
)

type name struct{ application, configuration string }

// An entry is one configuration.
type entry struct {
	configuration conf.Configuration // as readers get it
	owner         *application
	older, newer  *entry // see queue
	bytes         int64
	place         int32 // in owner.entries
	used          bool  // since it was last considered to make room
}

// An application is what the entries that belong to it have in common. It has
// one name at a time, so that is kept once.
type application struct {
	id      string
	name    string // empty: none of its entries is found by names
	entries []*entry
}

// entries are found by id and by names, and make room for each other. They are
// not safe for concurrent use.
type entries struct {
	maxBytes, bytes int64
	byID            map[string]*entry
	byName          map[name]*entry
	applications    map[string]*application // by id: those that have entries
	queue           queue
	evicted         func(id string)
}

// newEntries tells evicted of each entry that had to make room.
func newEntries(maxBytes int64, evicted func(id string)) *entries {
	return &entries{
		maxBytes: maxBytes, evicted: evicted,
		byID: map[string]*entry{}, byName: map[name]*entry{}, applications: map[string]*application{},
	}
}

// What entries and applications cost beside their texts: the structs, and their
// places in the maps, those for names included. Measured, and rounded up.
const (
	entryOverhead       = 420
	applicationOverhead = 250
)

// sizeOf counts all but the config, whose bytes whoever prepares it tells.
func sizeOf(c conf.Configuration) int64 {
	n := entryOverhead + len(c.ID) + len(c.Name)
	if c.Comments != nil {
		n += len(*c.Comments)
	}
	return int64(n)
}

// put keeps c, whose config and what was prepared of it are so many bytes, in
// place of what is older. From now on it is found by names as well if it was
// asked by the name of an application. What alone is too large is not kept.
func (es *entries) put(c conf.Configuration, bytes int, application string) {
	if old := es.byID[c.ID]; old != nil && old.configuration.Revision < c.Revision {
		es.remove(old)
	}
	size := sizeOf(c) + int64(bytes)
	// At most; and first, so that it does not come to make room for itself.
	if !es.makeRoom(size + applicationOverhead + int64(len(c.ApplicationID)+len(application))) {
		es.evicted(c.ID)
		return
	}
	e := es.byID[c.ID]
	if e == nil {
		e = es.add(c, size)
	}
	if application != "" {
		es.name(e, application)
	}
}

func (es *entries) add(c conf.Configuration, size int64) *entry {
	owner := es.applications[c.ApplicationID]
	if owner == nil {
		owner = &application{id: c.ApplicationID}
		es.applications[owner.id] = owner
		es.bytes += applicationOverhead + int64(len(owner.id))
	}
	c.Cached, c.ApplicationID = true, owner.id
	e := &entry{configuration: c, owner: owner, bytes: size, place: int32(len(owner.entries))}
	owner.entries = append(owner.entries, e)
	es.byID[c.ID] = e
	es.queue.push(e)
	es.bytes += size
	return e
}

// name lets the name of e's application, together with its own, lead to e.
func (es *entries) name(e *entry, application string) {
	if e.owner.name != application {
		es.forgetNames(e.owner)
		e.owner.name = strings.Clone(application) // of a request's path
		es.bytes += int64(len(application))
	}
	es.byName[e.names()] = e
}

func (e *entry) names() name { return name{e.owner.name, e.configuration.Name} }

// makeRoom drops entries until so many bytes are free, which it reports.
func (es *entries) makeRoom(bytes int64) bool {
	for bytes <= es.maxBytes && es.bytes+bytes > es.maxBytes {
		e := es.queue.next()
		es.remove(e)
		es.evicted(e.configuration.ID)
	}
	return bytes <= es.maxBytes
}

// peek returns what readers get of e, if there is an entry and it may be used.
func (es *entries) peek(e *entry, fresh bool) *conf.Configuration {
	if e == nil || !fresh {
		return nil
	}
	e.used = true
	return &e.configuration
}

func (es *entries) remove(e *entry) {
	es.forgetName(e)
	delete(es.byID, e.configuration.ID)
	es.queue.remove(e)
	es.bytes -= e.bytes
	es.disown(e)
}

// disown takes e from its application, which goes with the last of them.
func (es *entries) disown(e *entry) {
	a := e.owner
	last := a.entries[len(a.entries)-1]
	a.entries[e.place], last.place = last, e.place
	a.entries[len(a.entries)-1] = nil
	a.entries = a.entries[:len(a.entries)-1]
	if len(a.entries) == 0 {
		delete(es.applications, a.id)
		es.bytes -= applicationOverhead + int64(len(a.id)+len(a.name))
	}
}

// forgetName leaves alone what has the names by now.
func (es *entries) forgetName(e *entry) {
	if es.byName[e.names()] == e {
		delete(es.byName, e.names())
	}
}

// forgetNames is for an application that has, or may have, another name now.
func (es *entries) forgetNames(a *application) {
	for _, e := range a.entries {
		es.forgetName(e)
	}
	es.bytes -= int64(len(a.name))
	a.name = ""
}

func (es *entries) removeAll(a *application) {
	for len(a.entries) > 0 {
		es.remove(a.entries[0])
	}
}
