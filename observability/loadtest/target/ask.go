package target

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"configservice/observability/loadtest/load"
)

// Totals are what the API itself tells about the store.
type Totals struct {
	Applications   int64 `json:"applications"`
	Configurations int64 `json:"configurations"`
	Revision       int64 `json:"revision"`
}

// Reach finds out whether the service answers and takes the token.
func (c *Client) Reach(ctx context.Context) error {
	_, err := c.total(ctx, applications)
	return err
}

// Totals asks the API.
func (c *Client) Totals(ctx context.Context) (t Totals, err error) {
	if t.Applications, err = c.total(ctx, applications); err != nil {
		return t, err
	}
	if t.Configurations, err = c.total(ctx, configurations); err != nil {
		return t, err
	}
	t.Revision, err = c.revision(ctx)
	return t, err
}

func (c *Client) total(ctx context.Context, path string) (int64, error) {
	a, err := c.Must(ctx, Call{Method: "GET", Route: path, Path: path + "?limit=1", Want: []int{http.StatusOK}})
	if err != nil {
		return 0, err
	}
	var page struct{ Total int64 }
	return page.Total, json.Unmarshal(a.Body, &page)
}

// revision asks a watch, whose first event says how current it is.
func (c *Client) revision(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stream, err := c.Watch(ctx, "")
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	event, err := stream.Next()
	return event.Revision, err
}

// ProbeCall is a request whose series nobody else uses: a list with a limit that
// is refused.
func ProbeCall() Call {
	t := get(application+"/configurations", applications+"/00000000000000000000000000/configurations?limit=0", http.StatusUnprocessableEntity)
	return t.Call
}

// Probe is the series of ProbeCall.
func Probe() Series {
	c := ProbeCall()
	return Series{c.Method, c.Route, strconv.Itoa(c.Want[0])}
}

// Empty makes a request for which the service does nothing, and returns how long
// it took. It is not counted: others ask the same.
func (c *Client) Empty(ctx context.Context) (time.Duration, error) {
	req, err := c.request(ctx, Call{Method: "GET", Path: "/livez"})
	if err != nil {
		return 0, err
	}
	sent := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return time.Since(sent), err
}

// A Stream is a watch of changes.
type Stream struct {
	body  io.ReadCloser
	lines *bufio.Reader
}

// An Event is one server-sent event of a watch.
type Event struct {
	Kind     string // change, bookmark, resync or slow-consumer
	Revision int64
}

// Watch begins to watch an application, or all when the id is empty, and counts
// that. It ends with ctx.
func (c *Client) Watch(ctx context.Context, applicationID string) (*Stream, error) {
	const route = api + "/watch"
	call := Call{Method: "GET", Route: route, Path: route, Want: []int{http.StatusOK}}
	if applicationID != "" {
		call.Path += "?application_id=" + applicationID
	}
	req, err := c.request(ctx, call)
	if err != nil {
		return nil, err
	}
	resp, err := c.stream.Do(req)
	if err != nil {
		return nil, err
	}
	c.Ledger.count(Answer{Outcome: load.Outcome{Method: call.Method, Route: route, Status: resp.StatusCode}})
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("GET %s answered %s", req.URL, resp.Status)
	}
	return &Stream{resp.Body, bufio.NewReader(resp.Body)}, nil
}

// Close ends the watch.
func (s *Stream) Close() { _ = s.body.Close() }

// Next waits for the next event.
func (s *Stream) Next() (e Event, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		field, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch field {
		case "event":
			e.Kind = value
		case "id":
			if e.Revision, err = strconv.ParseInt(value, 10, 64); err != nil {
				return e, errors.New("a watch has an event whose id is no revision: " + value)
			}
		case "":
			if e.Kind != "" {
				return e, nil
			}
		}
	}
}
