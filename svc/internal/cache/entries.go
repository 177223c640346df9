package cache

import (
	"container/list"

	"configservice/svc/internal/conf"
)

type name struct{ application, configuration string }

// An entry is one configuration, with the names that it was asked by.
type entry struct {
	configuration conf.Configuration // as readers get it
	names         []name
	bytes         int64
	element       *list.Element
}

// entries are found by id and by names, and make room by dropping what was not
// used for longest. They are not safe for concurrent use.
type entries struct {
	maxBytes, bytes int64
	byID            map[string]*entry
	byName          map[name]*entry
	byApplication   map[string]map[*entry]bool
	used            *list.List // of *entry, the last used in front, see use
	evicted         func(id string)
}

// newEntries tells evicted of each entry that had to make room.
func newEntries(maxBytes int64, evicted func(id string)) *entries {
	return &entries{
		maxBytes: maxBytes, evicted: evicted, byID: map[string]*entry{}, byName: map[name]*entry{},
		byApplication: map[string]map[*entry]bool{}, used: list.New(),
	}
}

// What an entry costs beside its texts: the structs, and its places in the maps
// and the list. Measured, and rounded up.
const (
	entryOverhead = 700
	nameOverhead  = 200
)

func sizeOf(c conf.Configuration) int64 {
	n := entryOverhead + len(c.ID) + len(c.ApplicationID) + len(c.Name) + len(c.Config)
	if c.Comments != nil {
		n += len(*c.Comments)
	}
	return int64(n)
}

// put keeps c, and the bytes prepared of it, in place of what it replaces,
// unless that is newer. It returns nil when c alone is too large.
func (es *entries) put(c conf.Configuration, prepared any, bytes int) *entry {
	if old := es.byID[c.ID]; old != nil {
		if old.configuration.Revision >= c.Revision {
			es.use(old)
			return old
		}
		es.remove(old)
	}
	c.Cached, c.Prepared = true, prepared
	e := &entry{configuration: c, bytes: sizeOf(c) + int64(bytes)}
	if e.bytes > es.maxBytes {
		es.evicted(c.ID)
		return nil
	}
	e.element = es.used.PushFront(e)
	es.byID[c.ID] = e
	if es.byApplication[c.ApplicationID] == nil {
		es.byApplication[c.ApplicationID] = map[*entry]bool{}
	}
	es.byApplication[c.ApplicationID][e] = true
	es.charge(e.bytes)
	return e
}

// alias lets n lead to e, which was used last.
func (es *entries) alias(e *entry, n name) {
	if es.byName[n] == e {
		return
	}
	e.names = append(e.names, n)
	es.byName[n] = e
	cost := int64(nameOverhead + len(n.application) + len(n.configuration))
	e.bytes += cost
	es.charge(cost)
}

// charge accounts for what the last used entry has come to need, and makes
// room at the expense of the others.
func (es *entries) charge(bytes int64) {
	es.bytes += bytes
	for es.bytes > es.maxBytes && es.used.Len() > 1 {
		e := es.used.Back().Value.(*entry)
		es.remove(e)
		es.evicted(e.configuration.ID)
	}
}

// use notes that e was used. While less than half of the room is taken, nothing
// is moved, which would touch other entries all over the memory: what goes on
// being used moves to the front in time.
func (es *entries) use(e *entry) {
	if es.bytes > es.maxBytes/2 {
		es.used.MoveToFront(e.element)
	}
}

// peek returns what readers get of e, if there is an entry and it may be used.
func (es *entries) peek(e *entry, fresh bool) *conf.Configuration {
	if e == nil || !fresh {
		return nil
	}
	es.use(e)
	return &e.configuration
}

func (es *entries) remove(e *entry) {
	es.dropNames(e)
	delete(es.byID, e.configuration.ID)
	owned := es.byApplication[e.configuration.ApplicationID]
	delete(owned, e)
	if len(owned) == 0 {
		delete(es.byApplication, e.configuration.ApplicationID)
	}
	es.used.Remove(e.element)
	es.bytes -= e.bytes
}

func (es *entries) dropNames(e *entry) {
	for _, n := range e.names {
		if es.byName[n] == e {
			delete(es.byName, n)
		}
	}
	e.names = nil
}

// forgetNames is for an application whose name has changed.
func (es *entries) forgetNames(applicationID string) {
	for e := range es.byApplication[applicationID] {
		es.dropNames(e)
	}
}

func (es *entries) removeApplication(applicationID string) {
	for e := range es.byApplication[applicationID] {
		es.remove(e)
	}
}
