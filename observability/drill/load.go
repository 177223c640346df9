package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"configservice/observability/internal/nativestack"
)

const (
	maxWatchers  = 20 // of the drill's stack
	collectorMiB = 80 // memory of the drill's Collector
)

// writers are callers that write a configuration as fast as they are answered, or every so often.
type writers struct {
	count, bytes int
	every        time.Duration
}

// write starts callers, each with a configuration of its own. They do not mind how they are
// answered.
func (s *site) write(ctx context.Context, w writers) (stop func() error, err error) {
	ids, err := s.makeConfigurations(ctx, w.count)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	text := strings.Repeat("x", w.bytes)
	for _, id := range ids {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, _, _ = s.ask(ctx, "PUT", "/api/v1/configurations/"+id, fmt.Sprintf(`{"config":{"n":%d,"text":%q}}`, n, text))
				select {
				case <-time.After(w.every):
				case <-ctx.Done():
				}
			}
		})
	}
	return func() error { cancel(); all.Wait(); return nil }, nil
}

func (s *site) makeConfigurations(ctx context.Context, count int) (ids []string, err error) {
	name := fmt.Sprintf("drill %d", time.Now().UnixNano())
	application, err := s.create(ctx, "/api/v1/applications", fmt.Sprintf(`{"name":%q}`, name))
	if err != nil {
		return nil, err
	}
	for n := range count {
		id, err := s.create(ctx, "/api/v1/configurations", fmt.Sprintf(`{"application_id":%q,"name":"%d","config":{}}`, application, n))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (s *site) create(ctx context.Context, path, body string) (id string, err error) {
	status, answer, err := s.ask(ctx, "POST", path, body)
	var made struct{ ID string }
	if err == nil {
		err = json.Unmarshal(answer, &made)
	}
	if err != nil || status != http.StatusCreated {
		return "", fmt.Errorf("POST %s answered %d %s: %w", path, status, answer, err)
	}
	return made.ID, nil
}

func (s *site) ask(ctx context.Context, method, path, body string) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL(nativestack.Service, path), bytes.NewBufferString(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// watch opens a watch over a connection that takes so many bytes before they are read, and hands over
// what to read from it.
func (s *site) watch(buffer int) (net.Conn, error) {
	address := s.Address(nativestack.Service)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	err = conn.(*net.TCPConn).SetReadBuffer(buffer)
	if err == nil {
		_, err = fmt.Fprintf(conn, "GET /api/v1/watch HTTP/1.1\r\nHost: %s\r\n\r\n", address)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func tooManyWatchers(_ context.Context, s *site) (func() error, error) {
	var conns []net.Conn
	closeAll := func() (err error) {
		for _, conn := range conns {
			err = errors.Join(err, conn.Close())
		}
		return err
	}
	for range maxWatchers + 5 {
		conn, err := s.watch(4 << 10)
		if err != nil {
			return nil, errors.Join(err, closeAll())
		}
		conns = append(conns, conn)
	}
	return closeAll, nil
}

// deafWatcher has a watcher that never reads, while 2 MB of changes are made each second.
func deafWatcher(ctx context.Context, s *site) (func() error, error) {
	deaf, err := s.watch(4 << 10)
	if err != nil {
		return nil, err
	}
	stop, err := s.write(ctx, writers{count: 2, bytes: 100_000, every: 100 * time.Millisecond})
	if err != nil {
		return nil, errors.Join(err, deaf.Close())
	}
	return func() error { return errors.Join(stop(), deaf.Close()) }, nil
}

// fitfulWatcher has a watcher that rests for five seconds and reads until it has all, while more
// changes are made than the kernel keeps for it (4 MB), and fewer than the service does (16 MiB).
func fitfulWatcher(ctx context.Context, s *site) (func() error, error) {
	fitful, err := s.watch(256 << 10)
	if err != nil {
		return nil, err
	}
	stop, err := s.write(ctx, writers{count: 2, bytes: 200_000, every: 200 * time.Millisecond})
	if err != nil {
		return nil, errors.Join(err, fitful.Close())
	}
	buffer := make([]byte, 1<<20)
	reads := repeat(ctx, 5*time.Second, func(context.Context) error {
		for {
			if err := fitful.SetReadDeadline(time.Now().Add(150 * time.Millisecond)); err != nil {
				return err
			}
			if _, err := fitful.Read(buffer); isTimeout(err) {
				return nil
			} else if err != nil {
				return fmt.Errorf("the watcher that reads in fits was cut off: %w", err)
			}
		}
	})
	return func() error { return errors.Join(reads(), stop(), fitful.Close()) }, nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// floodOfTelemetry sends logs faster than they can be passed on.
func floodOfTelemetry(ctx context.Context, s *site) (func() error, error) {
	record := fmt.Sprintf(`{"body":{"stringValue":%q}}`, strings.Repeat("x", 4000))
	logs := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(record+",", 999) + record + `]}]}]}`
	senders, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for senders.Err() == nil {
				req, err := http.NewRequestWithContext(senders, "POST", s.URL(nativestack.OTLPHTTP, "/v1/logs"), strings.NewReader(logs))
				if err != nil {
					return
				}
				req.Header.Set("Content-Type", "application/json")
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_ = resp.Body.Close() // to be refused is what is wanted
				}
			}
		})
	}
	return func() error { cancel(); all.Wait(); return nil }, nil
}
