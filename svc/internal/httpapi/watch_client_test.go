package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// startFeed follows a source until the test ends.
func startFeed(t *testing.T, o watch.Options) *watch.Feed {
	t.Helper()
	feed, err := watch.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		feed.Run(ctx)
	}()
	t.Cleanup(func() {
		feed.Stop() // or the server would wait for its streams for ever
		cancel()
		<-done
	})
	return feed
}

// startTold is startFeed where the source, if it can, hands over what it commits.
func startTold(t *testing.T, o watch.Options) *watch.Feed {
	t.Helper()
	feed := startFeed(t, o)
	if store, ok := o.Source.(*sqlstore.Store); ok {
		store.OnCommit(feed.Hand)
	}
	return feed
}

// An event is one server-sent event as a client reads it.
type event struct {
	id   string
	kind string
	data string
}

type (
	transaction struct {
		Revision int64    `json:"revision"`
		Changes  []change `json:"changes"`
	}
	change struct {
		Operation       string          `json:"operation"`
		ApplicationID   string          `json:"application_id"`
		ConfigurationID string          `json:"configuration_id"`
		Config          json.RawMessage `json:"config"`
	}
)

// A watching is a client's end of a stream.
type watching struct {
	t      testing.TB
	header http.Header
	body   io.ReadCloser
	lines  *bufio.Reader
	lastID string
	retry  string
	cancel context.CancelFunc
}

// watchTimeout is how long a test waits for an event before it fails.
const watchTimeout = 20 * time.Second

// watch opens a stream. Every read of it fails after watchTimeout.
func (a *api) watch(query, lastID string) *watching {
	a.t.Helper()
	ws, err := openWatch(a.t, a.server.URL+"/api/v1/watch"+query, lastID)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(ws.close)
	return ws
}

// settle returns when a watch from now on begins after revision.
func (a *api) settle(revision int64) {
	a.t.Helper()
	a.get("/api/v1/applications?limit=1&min_revision=" + strconv.FormatInt(revision, 10))
}

func openWatch(t testing.TB, url, lastID string) (*watching, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		panic(err) // a mistake in the test itself
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	// A transport of its own: a test that closes a stream closes a connection.
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Do(r)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer cancel()
		body, _ := io.ReadAll(resp.Body)
		return nil, fmt.Errorf("%s answered %s: %s", url, resp.Status, body)
	}
	return &watching{t: t, header: resp.Header, body: resp.Body, lines: bufio.NewReader(resp.Body), lastID: lastID, cancel: cancel}, nil
}

func (ws *watching) close() {
	ws.cancel()
	ws.body.Close()
}

// read returns the next event, as the standard has a client read it.
func (ws *watching) read() (event, error) {
	timer := time.AfterFunc(watchTimeout, ws.cancel)
	defer timer.Stop()
	var e event
	for {
		line, err := ws.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			e.id, ws.lastID = value, value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "retry":
			ws.retry = value
		case "":
			if e.data != "" {
				return e, nil
			}
			e = event{}
		}
	}
}

// next returns the next event that is not a bookmark.
func (ws *watching) next() event {
	ws.t.Helper()
	for {
		e := ws.any()
		if e.kind != "bookmark" {
			return e
		}
	}
}

func (ws *watching) any() event {
	ws.t.Helper()
	e, err := ws.read()
	if err != nil {
		ws.t.Fatalf("no event: %v", err)
	}
	return e
}

// change returns the next event, which must be a change.
func (ws *watching) change() transaction {
	ws.t.Helper()
	e := ws.next()
	tx := decode[transaction](ws.t, answer{body: e.data})
	if e.kind != "change" || e.id != strconv.FormatInt(tx.Revision, 10) {
		ws.t.Fatalf("want a change with its revision as id, got %+v", e)
	}
	return tx
}

func wantEvent(t testing.TB, what string, got, want event) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %+v, want %+v", what, got, want)
	}
}

// rest reads until the stream ends and returns what it ended with.
func (ws *watching) rest() (string, error) {
	timer := time.AfterFunc(watchTimeout, ws.cancel)
	defer timer.Stop()
	all, err := io.ReadAll(ws.lines)
	return string(all), err
}
