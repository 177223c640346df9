package cache

import (
	"context"

	"configservice/svc/internal/conf"
)

// The writes below leave the cache at least as new as themselves before they
// return. A write whose end is not known (its error is no refusal) may have
// been committed, so it is treated as if it had been. A refused one has shown
// its caller the resource, which may be newer than what is here.

// UpdateApplication implements [conf.Store].
func (s *Store) UpdateApplication(ctx context.Context, id string, edit conf.Edit[conf.Application]) (conf.Application, error) {
	a, err := s.Store.UpdateApplication(ctx, id, edit)
	s.dropApplication(id, err)
	return a, err
}

// DeleteApplication implements [conf.Store].
func (s *Store) DeleteApplication(ctx context.Context, id string, check conf.Edit[conf.Application]) (int64, error) {
	revision, err := s.Store.DeleteApplication(ctx, id, check)
	s.dropApplication(id, err)
	return revision, err
}

// UpdateConfiguration implements [conf.Store].
func (s *Store) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	edit, shown := showing(edit)
	c, err := s.Store.UpdateConfiguration(ctx, id, edit)
	s.drop(id, *shown, err)
	return c, err
}

// RollbackConfiguration implements [conf.Store].
func (s *Store) RollbackConfiguration(ctx context.Context, id string, version int64, check conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	check, shown := showing(check)
	c, err := s.Store.RollbackConfiguration(ctx, id, version, check)
	s.drop(id, *shown, err)
	return c, err
}

// DeleteConfiguration implements [conf.Store].
func (s *Store) DeleteConfiguration(ctx context.Context, id string, check conf.Edit[conf.Configuration]) (int64, error) {
	check, shown := showing(check)
	revision, err := s.Store.DeleteConfiguration(ctx, id, check)
	s.drop(id, *shown, err)
	return revision, err
}

// showing returns edit, and what it will have been shown last.
func showing(edit conf.Edit[conf.Configuration]) (conf.Edit[conf.Configuration], *conf.Configuration) {
	shown := &conf.Configuration{}
	return func(c *conf.Configuration) error {
		*shown = *c
		return edit(c)
	}, shown
}

// drop is for a write that has ended with err after it was shown what there is.
func (s *Store) drop(id string, shown conf.Configuration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused(err) {
		if shown.ID != "" {
			s.outdate(shown)
		}
		return
	}
	s.recent.add(id)
	if e := s.entries.byID[id]; e != nil {
		s.entries.remove(e)
	}
}

func (s *Store) dropApplication(id string, err error) {
	if refused(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent.add(id)
	if a := s.entries.applications[id]; a != nil {
		s.entries.removeAll(a)
	}
}

// refused reports whether err means that the store is as it was.
func refused(err error) bool {
	switch conf.CodeOf(err) {
	case "", conf.Unavailable, conf.Internal:
		return false
	}
	return true
}
