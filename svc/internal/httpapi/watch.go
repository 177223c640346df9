package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/watch"
)

// WatchOptions tell how changes are watched and waited for.
type WatchOptions struct {
	// Feed has the changes. Without one nothing can be watched or waited for,
	// and such requests end in [conf.Unavailable].
	Feed *watch.Feed

	// Bookmark is after how long without an event a stream tells how current
	// it is; 0 means DefaultBookmark.
	Bookmark time.Duration

	// WriteTimeout bounds how long a client may take for what is written to
	// it; 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration

	// RevisionTimeout bounds how long a read waits for its min_revision; 0
	// means DefaultRevisionTimeout.
	RevisionTimeout time.Duration

	// Viewer returns who makes the request of ctx. Nil means that everybody may
	// see everything, for ever.
	Viewer func(ctx context.Context) Viewer

	// Observer is told what becomes of watches; nil means nobody.
	Observer WatchObserver
}

// What the zero WatchOptions mean. A bookmark comes more often than proxies
// give up on a silent connection.
const (
	DefaultBookmark        = 10 * time.Second
	DefaultWriteTimeout    = 10 * time.Second
	DefaultRevisionTimeout = 3 * time.Second
)

// A Viewer is who watches. Its methods are called for each event, concurrently,
// and must not block.
type Viewer interface {
	// Live returns an error once the viewer is no longer welcome, which ends
	// the stream.
	Live() error
	// Allowed reports whether the viewer may see an application's changes.
	Allowed(applicationID string) bool
}

type everybody struct{}

func (everybody) Live() error         { return nil }
func (everybody) Allowed(string) bool { return true }

// A WatchObserver is told what becomes of watches. Its methods are called
// concurrently and must not block.
type WatchObserver interface {
	// Watching tells of a watcher, by its transport (sse, long_poll), until
	// the function that it returns is called.
	Watching(transport string) (done func())
	// Delivering returns what is to be told of each change that is delivered to
	// a watcher whose request had the context ctx: the change's revision and
	// when it was committed, or zero when it is from history. Nil means that
	// nobody wants to know.
	Delivering(ctx context.Context) func(revision int64, committed, written time.Time)
	// Event tells of an event's outcome: delivered, resync, or dropped, once
	// for each watcher that is cut off because it is slow.
	Event(outcome string)
	// Propagated tells how long after its commit a change had been written to
	// a watcher's connection.
	Propagated(after time.Duration)
}

func (nobody) Watching(string) func()                                       { return func() {} }
func (nobody) Delivering(context.Context) func(int64, time.Time, time.Time) { return nil }
func (nobody) Event(string)                                                 {}
func (nobody) Propagated(time.Duration)                                     {}

func (o *WatchOptions) setDefaults() {
	if o.Bookmark == 0 {
		o.Bookmark = DefaultBookmark
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.RevisionTimeout == 0 {
		o.RevisionTimeout = DefaultRevisionTimeout
	}
	if o.Viewer == nil {
		o.Viewer = func(context.Context) Viewer { return everybody{} }
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
}

// watch answers with a stream of events, until either side ends it.
func (s *server) watch(w http.ResponseWriter, r *http.Request) error {
	wanted, err := s.readWatch(r)
	if err != nil {
		return err
	}
	watcher, err := s.startWatch(r.Context(), wanted)
	if err != nil {
		return err
	}
	s.stream(w, r, watcher, wanted.resume)
	return nil
}

// A wantedWatch is what a request asks to watch.
type wantedWatch struct {
	applicationID string // empty: all
	since         int64
	resume        bool // after since, and not from now on
}

func (s *server) readWatch(r *http.Request) (wantedWatch, error) {
	var wanted wantedWatch
	q, err := readQuery(r)
	if err != nil {
		return wanted, err
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" { // what a client that reconnects by itself adds
		q.values.Set("since", id)
	}
	wanted.since, wanted.resume = q.revision("since")
	wanted.applicationID = q.id("application_id")
	name := q.values.Get("application")
	if name != "" && wanted.applicationID != "" {
		q.problem("application", "cannot be sent together with application_id")
	}
	if err := q.err(); err != nil {
		return wanted, err
	}
	wanted.applicationID, err = s.findApplication(r.Context(), wanted.applicationID, name)
	return wanted, err
}

// findApplication returns the id of an application that is named by its id or
// by its name, or neither.
func (s *server) findApplication(ctx context.Context, id, name string) (string, error) {
	if id != "" {
		_, err := s.Store.Application(ctx, id)
		return id, err
	}
	if name == "" {
		return "", nil
	}
	page, err := s.Store.Applications(ctx, conf.ApplicationQuery{Window: conf.Window{Limit: 1}, Name: name})
	if err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return "", conf.Errorf(conf.NotFound, "no application is named %q", name)
	}
	return page.Items[0].ID, nil
}

// revision returns the parameter, which is a revision, and whether it is there.
func (q *query) revision(name string) (int64, bool) {
	text := q.values.Get(name)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		q.problem(name, fmt.Sprintf("is %q; it must be a revision, an integer from 0", text))
	}
	return n, true
}

func (s *server) startWatch(ctx context.Context, wanted wantedWatch) (*watch.Watcher, error) {
	if wanted.resume {
		if err := s.awaitPast(ctx, wanted.since); err != nil {
			return nil, err
		}
	}
	watcher, err := s.watcher(ctx, wanted.applicationID)
	if err == nil && wanted.resume {
		watcher.Resume(wanted.since)
	}
	return watcher, err
}

// watcher returns a watcher of what has this id.
func (s *server) watcher(ctx context.Context, key string) (*watch.Watcher, error) {
	if s.Watch.Feed == nil {
		return nil, conf.Errorf(conf.Unavailable, "changes cannot be watched here")
	}
	watcher, err := s.Watch.Feed.Watch(key)
	if errors.Is(err, watch.ErrFull) {
		s.Rejected(ctx, "watchers")
		return nil, conf.Errorf(conf.Overloaded, "more watchers are connected than the service takes at a time; try again")
	}
	if err != nil {
		return nil, &conf.Error{Code: conf.Unavailable, Detail: err.Error(), Err: err}
	}
	return watcher, nil
}

// awaitPast refuses a revision that has not come yet. One that this replica
// has only not heard of, because the client comes from another, it waits for.
func (s *server) awaitPast(ctx context.Context, revision int64) error {
	if s.Watch.Feed != nil && s.Watch.Feed.Applied() >= revision {
		return nil
	}
	stats, err := s.Store.Stats(ctx)
	if err != nil {
		return err
	}
	if revision > stats.Revision {
		return conf.InvalidFields([]conf.FieldError{{Pointer: "/since",
			Detail: fmt.Sprintf("is %d; the last revision is %d", revision, stats.Revision)}})
	}
	return s.awaitRevision(ctx, revision)
}

// awaitRevision waits until this replica has every change up to revision.
func (s *server) awaitRevision(ctx context.Context, revision int64) error {
	if s.Watch.Feed == nil {
		return conf.Errorf(conf.Unavailable, "revisions cannot be waited for here")
	}
	waiting, cancel := context.WithTimeout(ctx, s.Watch.RevisionTimeout)
	defer cancel()
	err := s.Watch.Feed.WaitFor(waiting, revision)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return conf.Errorf(conf.Unavailable, "revision %d has not arrived here; the last one is %d", revision, s.Watch.Feed.Applied())
	}
	return err
}

// atLeast makes a read wait for the revision that its min_revision names.
func (s *server) atLeast(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.RawQuery != "" {
			q, err := readQuery(r)
			if err != nil {
				return err
			}
			revision, given := q.revision("min_revision")
			if err := q.err(); err != nil {
				return err
			}
			if given {
				if err := s.awaitRevision(r.Context(), revision); err != nil {
					return err
				}
			}
		}
		return h(w, r)
	}
}
