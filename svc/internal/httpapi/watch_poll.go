package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/watch"
)

// maxWait bounds a long poll.
const maxWait = time.Minute

// A hold is what a long poll waits for: a version after a known one, or else
// one that If-None-Match does not name.
type hold struct {
	wait    time.Duration
	version int64 // 0: by If-None-Match
}

// readHold returns what a read waits for, or nil when it is not to wait.
func readHold(r *http.Request) (*hold, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	q, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	if q.values.Get("wait") == "" && q.values.Get("version") == "" {
		return nil, nil
	}
	h := &hold{wait: q.wait("wait")}
	tagged := r.Header.Get("If-None-Match") != ""
	switch given, byName := q.values.Get("version") != "", r.PathValue("id") == ""; {
	case given && byName: // the name can pass to another, whose versions start anew
		q.problem("version", "does not tell what is known by name; send If-None-Match")
	case given:
		h.version = q.version("version")
	case !tagged && byName:
		q.problem("wait", "is for news of what If-None-Match names; send it")
	case !tagged:
		q.problem("version", "is required with wait, unless there is If-None-Match")
	}
	if q.values.Get("at") != "" {
		q.problem("at", "cannot be waited for")
	}
	return h, q.err()
}

// wait returns the parameter, which is a time from nothing to maxWait, or 0
// where it is absent or empty.
func (q *query) wait(name string) time.Duration {
	text := q.values.Get(name)
	if text == "" {
		return 0
	}
	unit := strings.TrimLeft(text, "0123456789")
	d, err := time.ParseDuration(text)
	if err != nil || d > maxWait || unit != "ms" && unit != "s" && unit != "m" {
		q.problem(name, fmt.Sprintf("is %q; it must be a time of at most %s, in whole ms, s or m", text, maxWait))
	}
	return d
}

// known reports whether c is what the client has already, and answers 304 then.
func (h *hold) known(r *http.Request, c conf.Configuration) bool {
	if h.version > 0 {
		return c.Version <= h.version
	}
	return listed(r.Header.Values("If-None-Match"), etag(c.Revision), true)
}

// writeHeld answers a read once it is news to the client, or with 304 when the
// wait is over before.
func (s *server) writeHeld(w http.ResponseWriter, r *http.Request, h *hold, read func() (conf.Configuration, error)) error {
	c, err := read()
	if err == nil && h.known(r, c) && h.wait > 0 {
		lift(w, h.wait)
		c, err = s.awaitNews(r, h, c, read)
	}
	if err != nil || !h.known(r, c) {
		return s.writeConfiguration(w, r, c, err)
	}
	s.Observer.Read(r.Context(), sourceOf(c), "not_modified")
	w.Header().Set("ETag", etag(c.Revision))
	w.WriteHeader(http.StatusNotModified)
	return nil
}

// lift makes room for a wait before the server's own deadline of an answer.
func lift(w http.ResponseWriter, wait time.Duration) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(wait + DefaultWriteTimeout))
}

// awaitNews reads anew whenever something has changed in c's application that
// can matter, until the result is news or the wait is over. A service that
// stops sends its clients away early.
func (s *server) awaitNews(r *http.Request, h *hold, c conf.Configuration, read func() (conf.Configuration, error)) (conf.Configuration, error) {
	watcher, err := s.watcher(r.Context(), s.newsKey(r, c))
	if err != nil {
		return c, err
	}
	defer watcher.Close()
	defer s.Watch.Observer.Watching("long_poll")()
	over := time.NewTimer(h.wait)
	defer over.Stop()
	for {
		c, err := read() // also the first time: it may have changed before the watch began
		if err != nil || !h.known(r, c) {
			return c, err
		}
		events, err := watcher.Next(r.Context(), over.C)
		if errors.Is(err, watch.ErrStopped) || err == nil && len(events) == 0 {
			return c, nil
		}
		if err != nil {
			return c, err
		}
	}
}

// newsKey returns the id of what to watch for news of c. What is asked for by
// name can also change by a rename, or by another that takes the name.
func (s *server) newsKey(r *http.Request, c conf.Configuration) string {
	if r.PathValue("id") == "" {
		return c.ApplicationID
	}
	return c.ID
}
