package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// appending returns an edit that adds to a text, so that the text tells which
// edits there were.
func appending(s string) conf.Edit[conf.Configuration] {
	return func(c *conf.Configuration) error {
		c.Config = fmt.Appendf(nil, `%s%s"}`, bytes.TrimSuffix(c.Config, []byte(`"}`)), s)
		return nil
	}
}

func createText(t *testing.T, s *Store, name string) conf.Configuration {
	t.Helper()
	a := createApplication(t, s, "of "+name)
	c, err := s.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: name, Config: []byte(`{"text": ""}`)})
	must(t, err)
	return c
}

func edit(t *testing.T, s *Store, id, text string) {
	t.Helper()
	_, err := s.UpdateConfiguration(t.Context(), id, appending(text))
	must(t, err)
}

// wantText tells which edits a configuration has had, each a version of its own.
func wantText(t *testing.T, s *Store, id, want string) {
	t.Helper()
	c, err := s.Configuration(t.Context(), id)
	if err != nil || string(c.Config) != `{"text": "`+want+`"}` || c.Version != int64(len(want))+1 {
		t.Errorf("%s at version %d (%v), want %q", c.Config, c.Version, err, want)
	}
	wantRemembered(t, s)
}

// wantRemembered compares what the writer remembers with what there is.
func wantRemembered(t *testing.T, s *Store) {
	t.Helper()
	st, err := s.Stats(t.Context())
	must(t, err)
	if s.writes.recent.revision != st.Revision {
		return
	}
	for id, remembered := range s.writes.recent.configurations {
		c, err := s.Configuration(t.Context(), id)
		if diff := cmp.Diff(c, remembered); err != nil || diff != "" {
			t.Errorf("%s is remembered otherwise (%v, -is +remembered)\n%s", id, err, diff)
		}
	}
}

func TestWriteDoesNotSeeWhatAnotherProcessWrote(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":     func() string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": func() string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			url := url()
			one, other := openURL(t, url, Options{}), openURL(t, url, Options{})
			c := createText(t, one, "main")
			edit(t, one, c.ID, "a")
			edit(t, other, c.ID, "b")
			edit(t, one, c.ID, "c")
			wantText(t, one, c.ID, "abc")
			edit(t, one, c.ID, "d")
			must(t, other.Atomically(t.Context(), func(within conf.Store) error {
				_, err := within.UpdateConfiguration(t.Context(), c.ID, appending("e"))
				return err
			}))
			edit(t, one, c.ID, "f")
			wantText(t, one, c.ID, "abcdef")
			must(t, one.Atomically(t.Context(), func(within conf.Store) error {
				_, err := within.UpdateConfiguration(t.Context(), c.ID, appending("g"))
				return err
			}))
			edit(t, one, c.ID, "h")
			wantText(t, one, c.ID, "abcdefgh")
		})
	}
}

// fail makes a write that changes a configuration and fails then.
func (c *company) fail(t *testing.T, id string) {
	c.calls = append(c.calls, func() error {
		return c.write(t.Context(), func(tx *transaction) error {
			is, err := tx.configuration(id)
			if err != nil {
				return err
			}
			was := is.Revision
			is.Version, is.Revision, is.Config = is.Version+1, tx.revision, []byte(`{"text": "undone"}`)
			return errors.Join(tx.updateConfiguration(conf.Update, is, was), conf.Errorf(conf.PreconditionFailed, "no"))
		})
	})
}

func (c *company) editText(ctx context.Context, id, text string) {
	c.calls = append(c.calls, func() error {
		_, err := c.UpdateConfiguration(ctx, id, appending(text))
		return err
	})
}

func TestWriteBuildsOnWhatWasUndone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		id := createText(t, c.Store, "main").ID
		c.editText(t.Context(), id, "a")
		c.fail(t, id)
		c.editText(t.Context(), id, "b")
		c.fail(t, id)
		c.editText(t.Context(), id, "c")
		wantCodes(t, c.meet(t), "", conf.PreconditionFailed, "", conf.PreconditionFailed, "")
		wantText(t, c.Store, id, "abc")

		c.fail(t, id)
		wantCodes(t, c.meet(t), conf.PreconditionFailed)
		edit(t, c.Store, id, "d")
		mend := c.breakCommits(t)
		c.editText(t.Context(), id, "x")
		c.editText(t.Context(), id, "y")
		wantCodes(t, c.meet(t), conf.Internal, conf.Internal)
		mend()
		edit(t, c.Store, id, "e")
		wantText(t, c.Store, id, "abcde")
	})
}

func TestWriteFindsWhatWasDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		alone, owned := createText(t, c.Store, "alone"), createText(t, c.Store, "owned")
		edit(t, c.Store, alone.ID, "a")
		edit(t, c.Store, owned.ID, "a")
		_, err := c.DeleteConfiguration(t.Context(), alone.ID, func(*conf.Configuration) error { return nil })
		must(t, err)
		_, err = c.DeleteApplication(t.Context(), owned.ApplicationID, func(*conf.Application) error { return nil })
		must(t, err)
		for _, id := range []string{alone.ID, owned.ID} {
			if _, err := c.UpdateConfiguration(t.Context(), id, appending("b")); conf.CodeOf(err) != conf.NotFound {
				t.Errorf("edited what is gone: %v", err)
			}
		}
		wantRemembered(t, c.Store)
	})
}

// What has just been written is not asked for, and everything is, again, once
// so much has been written that it would fill memory.
func TestWriterAsksForWhatItHasJustWritten(t *testing.T) {
	c := &company{Store: open(t, filepath.Join(t.TempDir(), "store.db"), Options{})}
	id := createText(t, c.Store, "main").ID
	edit(t, c.Store, id, "a")
	if n := len(c.writes.recent.configurations); n != 1 || c.writes.recent.revision != 3 {
		t.Errorf("%d are remembered as of %d", n, c.writes.recent.revision)
	}
	var r recent
	comments := strings.Repeat("x", 5000)
	for i := range 1000 {
		r.put(conf.Update, conf.Configuration{ID: fmt.Sprint(i % 700), Comments: &comments, Config: make([]byte, 5000)})
		if sum := 10_400 * len(r.configurations); sum != r.bytes || sum > maxRecent || sum == 0 {
			t.Fatalf("%d bytes are remembered, %d in truth", r.bytes, sum)
		}
	}
	r.put(conf.Delete, conf.Configuration{ID: "299"})
	if _, there := r.configurations["299"]; there || r.bytes != 10_400*len(r.configurations) {
		t.Errorf("%d are remembered, of %d bytes", len(r.configurations), r.bytes)
	}
}

// That a configuration takes what it is said to, at least, is measured by many
// small ones.
func TestWhatIsRememberedTakesMoreMemoryThanItSays(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var r recent
	for i := range 9000 {
		id := fmt.Sprintf("%026d", i)
		r.put(conf.Create, conf.Configuration{ID: id, ApplicationID: strings.Clone(id), Name: strings.Clone(id), Config: []byte(`{}`)})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int(after.HeapAlloc) - int(before.HeapAlloc); len(r.configurations) != 9000 || took > r.bytes {
		t.Errorf("%d take %d bytes, said to be %d", len(r.configurations), took, r.bytes)
	}
	runtime.KeepAlive(&r)
}

// A server that has lost commits, as a standby that takes over can have, gives
// their revisions out again.
func TestWriteBuildsOnACommitThatWasLost(t *testing.T) {
	onBoth(t, func(t *testing.T, c *company) {
		id := createText(t, c.Store, "main").ID
		edit(t, c.Store, id, "a")
		for _, statement := range []string{
			`UPDATE configurations SET config = '{"text": "b"}'`,
			`UPDATE store SET committed_at = committed_at + 1`,
		} {
			conn := connection(t, c.writer)
			_, err := conn.ExecContext(t.Context(), statement)
			must(t, err)
			must(t, conn.Close())
		}
		edit(t, c.Store, id, "c")
		got, err := c.Configuration(t.Context(), id)
		if err != nil || string(got.Config) != `{"text": "bc"}` {
			t.Errorf("%s (%v)", got.Config, err)
		}
	})
}

// An edit that is refused may have changed what it was given.
func TestRefusedEditChangesWhatIsRemembered(t *testing.T) {
	c := &company{Store: open(t, filepath.Join(t.TempDir(), "store.db"), Options{})}
	id := createText(t, c.Store, "main").ID
	edit(t, c.Store, id, "a")
	c.editText(t.Context(), id, "b")
	c.calls = append(c.calls, func() error {
		_, err := c.UpdateConfiguration(t.Context(), id, func(c *conf.Configuration) error {
			clear(c.Config)
			return conf.Errorf(conf.PreconditionFailed, "no")
		})
		return err
	})
	c.editText(t.Context(), id, "c")
	wantCodes(t, c.meet(t), "", conf.PreconditionFailed, "")
	wantText(t, c.Store, id, "abc")
}
