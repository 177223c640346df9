// Package cache answers reads of single configurations from memory.
package cache

import (
	"context"
	"sync"

	"configservice/svc/internal/conf"
)

// Store is a [conf.Store] that keeps what was read or written last in a
// bounded amount of memory.
//
// A read that starts after a write through this Store has returned sees that
// write or a later one. Writes through others are seen once [Store.Apply] has
// been told of them; how long that takes is the caller's to bound, with fresh.
type Store struct {
	conf.Store
	fresh   func() bool
	prepare Prepare

	mu      sync.Mutex
	entries *entries
	recent  *recent
}

// Prepare gives a configuration what its readers will need, and tells how many
// bytes that and its config take, which may share them. It depends on nothing but the
// configuration.
type Prepare func(*conf.Configuration) (bytes int)

// New returns a cache of at most maxBytes before next. While fresh returns
// false, changes made elsewhere may not be known yet, so everything is read
// from next. What is kept is prepared once; nil prepares nothing.
func New(next conf.Store, maxBytes int64, fresh func() bool, prepare Prepare) *Store {
	if prepare == nil {
		prepare = func(c *conf.Configuration) int { return len(c.Config) }
	}
	s := &Store{Store: next, fresh: fresh, prepare: prepare, recent: newRecent()}
	// What made room was seen by readers, so nothing older may take its place.
	s.entries = newEntries(maxBytes, s.recent.add)
	return s
}

// Bytes returns how much memory the entries take, by their own account.
func (s *Store) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.bytes
}

// Configuration implements [conf.Store].
func (s *Store) Configuration(ctx context.Context, id string) (conf.Configuration, error) {
	return s.read("",
		func() *entry { return s.entries.byID[id] },
		func() (conf.Configuration, error) { return s.Store.Configuration(ctx, id) })
}

// ConfigurationByName implements [conf.Store].
func (s *Store) ConfigurationByName(ctx context.Context, application, configuration string) (conf.Configuration, error) {
	return s.read(application,
		func() *entry { return s.entries.byName[name{application, configuration}] },
		func() (conf.Configuration, error) {
			return s.Store.ConfigurationByName(ctx, application, configuration)
		})
}

// Peek returns what [Store.Configuration] would answer from memory, and nil
// where it would ask the store. All who look share the result.
func (s *Store) Peek(id string) *conf.Configuration {
	fresh := s.fresh()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.peek(s.entries.byID[id], fresh)
}

// PeekByName is like Peek for [Store.ConfigurationByName].
func (s *Store) PeekByName(application, configuration string) *conf.Configuration {
	fresh := s.fresh()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.peek(s.entries.byName[name{application, configuration}], fresh)
}

// read answers from memory what found finds there, and otherwise keeps what
// load returns, unless a change that came to be known meanwhile may have made
// it old. Found runs under the lock. The application's name is given where it was
// asked by that.
func (s *Store) read(application string, found func() *entry, load func() (conf.Configuration, error)) (conf.Configuration, error) {
	c, seen, ok := s.lookup(found)
	if ok {
		return c, nil
	}
	c, err := load()
	if err != nil {
		return c, err
	}
	bytes := s.prepare(&c) // not under the lock
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent.changedSince(seen, c.ID, c.ApplicationID) {
		s.outdate(c)
	} else {
		s.entries.put(c, bytes, application)
	}
	return c, nil
}

// outdate sees to it that nothing older than c, which a caller is about to
// see, is answered from now on: neither what is here nor what is on its way.
func (s *Store) outdate(c conf.Configuration) {
	s.recent.add(c.ID)
	if e := s.entries.byID[c.ID]; e != nil && e.configuration.Revision < c.Revision {
		s.entries.remove(e)
	}
}

// lookup also returns the point that the cache is at: what is loaded from now
// on is at least that new.
func (s *Store) lookup(found func() *entry) (c conf.Configuration, seen int64, ok bool) {
	fresh := s.fresh()
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.entries.peek(found(), fresh); kept != nil {
		return *kept, 0, true
	}
	return c, s.recent.count, false
}

// Apply tells the cache of a committed transaction. Calls come in the order of
// revisions.
func (s *Store) Apply(tx conf.Transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, change := range tx.Changes {
		s.invalidate(tx.Revision, change)
	}
}

// Reset tells the cache that it has missed some transactions: it forgets
// everything.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent.reset()
	s.entries = newEntries(s.entries.maxBytes, s.recent.add)
}

// invalidate drops what a change made old. What is newer than the change was
// put there by the write that this replica made after it, and stays.
func (s *Store) invalidate(revision int64, change conf.Change) {
	if change.ConfigurationID == "" {
		s.recent.add(change.ApplicationID)
		if a := s.entries.applications[change.ApplicationID]; a != nil {
			s.entries.forgetNames(a)
		}
		return
	}
	s.recent.add(change.ConfigurationID)
	if e := s.entries.byID[change.ConfigurationID]; e != nil && e.configuration.Revision < revision {
		s.entries.remove(e)
	}
}
