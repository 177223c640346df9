package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
	Frame         []byte    // as it goes over the wire, server-sent events (WHATWG HTML, 9.2)

	configurations []string // the ids of those that changed
}

// concerns reports whether the event is for those who watch key: everything,
// an application or a configuration.
func (e *Event) concerns(key string) bool {
	return key == everything || e.ApplicationID == key || slices.Contains(e.configurations, key)
}

// encode returns the event that tx is.
func (f *Feed) encode(tx conf.Transaction) (*Event, error) {
	f.encoded.Add(1)
	var data bytes.Buffer
	enc := json.NewEncoder(&data)
	enc.SetEscapeHTML(false) // a configuration's text comes out as it went in
	if err := enc.Encode(tx); err != nil {
		return nil, fmt.Errorf("revision %d: %w", tx.Revision, err)
	}
	e := &Event{Kind: Change, Revision: tx.Revision,
		Frame: frame(Change, tx.Revision, bytes.TrimSuffix(data.Bytes(), []byte("\n")))}
	for _, c := range tx.Changes {
		e.ApplicationID = c.ApplicationID
		if c.ConfigurationID != "" {
			e.configurations = append(e.configurations, c.ConfigurationID)
		}
	}
	return e, nil
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
	return &Event{Kind: kind, Revision: revision, Frame: frame(kind, revision, data)}
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
