package watch

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"configservice/svc/internal/conf"
)

// The kinds of events.
const (
	Change       = "change"        // a transaction
	Bookmark     = "bookmark"      // nothing has changed in the scope up to this revision
	Resync       = "resync"        // what was before this revision must be read anew
	SlowConsumer = "slow-consumer" // the stream ends; resume it after this revision
)

// An Event is one message of a watch. It is shared by all watchers and never
// changes.
type Event struct {
	Kind          string
	Revision      int64
	ApplicationID string    // of a change; all of a transaction is of one application
	Committed     time.Time // of a change that has just happened; zero when it is read from history

	configurations []string  // the ids of those that changed
	one            [1]string // room for the one that most are
	size           int       // of the frame and what it is made of, about

	feed   *Feed // nil when there is a frame from the start
	encode sync.Once
	tx     conf.Transaction // until it is encoded
	frame  []byte
}

// Frame returns the event as it goes over the wire, server-sent events (WHATWG
// HTML, 9.2). All callers share it. It is encoded when it is first asked for.
func (e *Event) Frame() []byte {
	if e.feed != nil {
		e.encode.Do(func() { e.frame, e.tx = e.feed.encode(e.tx), conf.Transaction{} })
	}
	return e.frame
}

// concerns reports whether the event is for those who watch key: everything,
// an application or a configuration.
func (e *Event) concerns(key string) bool {
	return key == everything || e.ApplicationID == key || slices.Contains(e.configurations, key)
}

// event returns the event that tx is.
func (f *Feed) event(tx conf.Transaction) *Event {
	e := &Event{Kind: Change, Revision: tx.Revision, size: size(tx), feed: f, tx: tx}
	e.configurations = e.one[:0]
	for _, c := range tx.Changes {
		e.ApplicationID = c.ApplicationID
		if c.ConfigurationID != "" {
			e.configurations = append(e.configurations, c.ConfigurationID)
		}
	}
	return e
}

// encode returns the frame of the event that tx is. What cannot be encoded, which
// no store keeps unless somebody has meddled with it, must be read anew.
func (f *Feed) encode(tx conf.Transaction) []byte {
	f.encoded.Add(1)
	data, err := tx.AppendJSON(make([]byte, 0, size(tx)))
	if err != nil {
		f.Logger.Error("a change cannot be told; watchers are told to resync", "revision", tx.Revision, "error", err)
		return Progress(Resync, tx.Revision).Frame()
	}
	return frame(Change, tx.Revision, data)
}

// size is what a transaction takes in memory or on the wire, about.
func size(tx conf.Transaction) int {
	const overhead, perChange = 160, 480
	n := overhead
	for _, c := range tx.Changes {
		if n += perChange + len(c.Name) + len(c.Config); c.Comments != nil {
			n += len(*c.Comments)
		}
	}
	return n
}

func committed(tx conf.Transaction) time.Time {
	if len(tx.Changes) == 0 {
		return time.Time{}
	}
	return tx.Changes[0].UpdatedAt
}

// Progress returns the event of a kind that tells no more than a revision.
func Progress(kind string, revision int64) *Event {
	data := []byte(`{"revision":` + strconv.FormatInt(revision, 10) + `}`)
	return &Event{Kind: kind, Revision: revision, frame: frame(kind, revision, data)}
}

// frame puts data, which has no line breaks, on the wire. What ends a stream
// has no id, so that a client resumes after the last event that it did get.
func frame(kind string, revision int64, data []byte) []byte {
	out := make([]byte, 0, len(data)+64)
	if kind != SlowConsumer {
		out = append(out, "id: "...)
		out = strconv.AppendInt(out, revision, 10)
		out = append(out, '\n')
	}
	out = append(out, "event: "...)
	out = append(out, kind...)
	out = append(out, "\ndata: "...)
	out = append(out, data...)
	return append(out, "\n\n"...)
}
