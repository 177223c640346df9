// Package target talks to the service under load as its clients do, and counts
// every answer that it gets.
package target

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"configservice/observability/loadtest/load"
)

// requestTimeout is how long an answer is waited for.
const requestTimeout = 10 * time.Second

// A Client is the tester's only way to the service. It is safe for concurrent use.
type Client struct {
	Ledger *Ledger

	base    *url.URL
	token   string
	sampled float64 // share of requests that are sent as sampled
	http    *http.Client
	stream  *http.Client // without a limit on the time of an answer
}

// NewClient returns a client of the service at base that keeps up to connections
// alive. The token may be empty. The share of requests that is sampled carries a
// traceparent that says so.
func NewClient(base *url.URL, token string, connections int, sampled float64) *Client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		Ledger: NewLedger(), base: base, token: token, sampled: sampled,
		http:   &http.Client{Transport: transport, Timeout: requestTimeout, CheckRedirect: stay},
		stream: &http.Client{Transport: transport.Clone(), CheckRedirect: stay},
	}
}

// A Call is a request to make. The route is what the service counts it under.
type Call struct {
	Method, Route, Path string // the path with its query, behind the base
	Header              [][2]string
	Body                []byte
	Want                []int // statuses that it is meant to get
}

// An Answer is what came of a Call. Without an answer Err says why.
type Answer struct {
	load.Outcome
	Header http.Header
	Body   []byte
	Err    error
}

// Do makes a call and counts it. Times are taken here, next to the wire.
func (c *Client) Do(ctx context.Context, call Call) Answer {
	a := Answer{Outcome: load.Outcome{Method: call.Method, Route: call.Route}}
	req, err := c.request(ctx, call)
	if err != nil {
		a.Err, a.Failure = err, "request"
		return a
	}
	trace := c.sample(req)
	a.Sent = time.Now()
	resp, err := c.http.Do(req)
	if err == nil {
		a.Status, a.Header = resp.StatusCode, resp.Header
		a.Body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it was read, or has failed
	}
	a.Done = time.Now()
	if err != nil {
		a.Err, a.Failure = err, kindOf(err)
	} else {
		a.Unwanted = !slices.Contains(call.Want, a.Status)
	}
	c.Ledger.note(a, trace)
	return a
}

func (c *Client) request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader
	if call.Body != nil {
		body = bytes.NewReader(call.Body)
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, c.base.String()+call.Path, body)
	if err != nil {
		return nil, err
	}
	if call.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range call.Header {
		req.Header.Set(h[0], h[1])
	}
	return req, nil
}

// sample makes the request part of a trace that is kept, or not, by chance, and
// returns the trace's id.
func (c *Client) sample(req *http.Request) string {
	if mathrand.Float64() >= c.sampled {
		return ""
	}
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	binary.BigEndian.PutUint64(id[:], binary.BigEndian.Uint64(id[:])|1)
	trace := hex.EncodeToString(id[:16])
	req.Header.Set("Traceparent", "00-"+trace+"-"+hex.EncodeToString(id[16:])+"-01")
	return trace
}

// kindOf returns a word for a transport error, one of a few.
func kindOf(err error) string {
	var timeout interface{ Timeout() bool }
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &dns):
		return "dns"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "reset"
	}
	return "other"
}

// Must is Do for calls without which there is no going on.
func (c *Client) Must(ctx context.Context, call Call) (Answer, error) {
	a := c.Do(ctx, call)
	switch {
	case a.Err != nil:
		return a, fmt.Errorf("the service does not answer: %w", a.Err)
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return a, fmt.Errorf("the service at %s refuses the token (%d); --token or LOADTEST_TOKEN must hold one that may read and write everything", c.base, a.Status)
	case a.Unwanted:
		return a, fmt.Errorf("%s %s%s answered %d: %.200s", call.Method, c.base, call.Path, a.Status, a.Body)
	}
	return a, nil
}

// A Series is what the service counts apart.
type Series struct{ Method, Route, Status string }

// MarshalText makes a Series a key in JSON.
func (s Series) MarshalText() ([]byte, error) {
	return []byte(s.Method + " " + s.Route + " " + s.Status), nil
}

// UnmarshalText is the inverse of MarshalText.
func (s *Series) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), " ")
	if len(parts) != 3 {
		return fmt.Errorf("%q is not METHOD ROUTE STATUS", text)
	}
	s.Method, s.Route, s.Status = parts[0], parts[1], parts[2]
	return nil
}

// A Counts says how many requests of each series there were.
type Counts map[Series]int64

// maxTraces bounds what a long run remembers.
const maxTraces = 20_000

// A Ledger counts every answer. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	counts   Counts
	failures int64
	traces   map[string]Series
	latency  *load.Histogram // of answers, from the sent moment
	seconds  map[int64]int64 // answers by the second of the clock
}

// NewLedger returns an empty one.
func NewLedger() *Ledger {
	var l Ledger
	l.Reset()
	return &l
}

// Reset makes it empty.
func (l *Ledger) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts, l.failures, l.traces, l.seconds = Counts{}, 0, map[string]Series{}, map[int64]int64{}
	l.latency = load.NewHistogram()
}

func (l *Ledger) note(a Answer, trace string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Failure != "" {
		l.failures++
		return
	}
	s := a.series()
	l.counts[s]++
	l.seconds[a.Done.Unix()]++
	l.latency.Record(a.Service())
	if trace != "" && len(l.traces) < maxTraces {
		l.traces[trace] = s
	}
}

// count counts an answer that never ends, so that it has no latency.
func (l *Ledger) count(a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[a.series()]++
}

func (a Answer) series() Series { return Series{a.Method, a.Route, strconv.Itoa(a.Status)} }

// Service is how long a request took from the moment of sending.
func (a Answer) Service() time.Duration { return a.Done.Sub(a.Sent) }

// A Book is what a Ledger held at one moment.
type Book struct {
	Counts   Counts            `json:"counts"`
	Failures int64             `json:"failures"` // requests without an answer
	Traces   map[string]Series `json:"traces"`   // requests that were sent as sampled, by trace id
	Latency  load.Distribution `json:"latency"`  // of answers, from the sent moment
	Seconds  map[int64]int64   `json:"seconds"`  // answers by the second of the clock
}

// Read returns a copy.
func (l *Ledger) Read() Book {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Book{maps.Clone(l.counts), l.failures, maps.Clone(l.traces), l.latency.Distribution(), maps.Clone(l.seconds)}
}

// Rate is how many answers a second there were, on average over the time.
func (b Book) Rate(from, to time.Time) float64 {
	var n float64
	for second, answers := range b.Seconds {
		begin := time.Unix(second, 0)
		end := begin.Add(time.Second)
		if overlap := min(end.Sub(from), to.Sub(begin), time.Second); overlap > 0 {
			n += float64(answers) * overlap.Seconds()
		}
	}
	return n / to.Sub(from).Seconds()
}
