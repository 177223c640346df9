package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"configservice/svc/internal/access"
	"configservice/svc/internal/cache"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/instrument"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// Bounds on what a slow or silent client can hold.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	answerTimeout = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// serve runs the service until SIGINT or SIGTERM. A second signal ends the
// process at once.
func serve(ctx context.Context, o options, stdout io.Writer) (err error) {
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore) // the second signal finds the default, which is to end

	defer leaveRoom(heapRoom)()
	t, err := newTelemetry(ctx, version, o.LogLevel, stdout)
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, o.DatabaseURL, o.storeOptions(t.pools))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := &service{options: o, logger: t.logger}
	keys, forget, err := s.followTokens(ctx, store)
	if err != nil {
		return err
	}
	defer forget()
	listener, err := listenOn("listen", o.Listen)
	if err != nil {
		return err
	}
	if err := s.checkExposure(keys, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	handler, release, err := s.handler(ctx, t, store, keys)
	if err != nil {
		return err
	}
	defer release()
	stopBeside, err := s.serveBeside()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, stopBeside()) }()
	// Telemetry asks the store a last time as it stops, so it stops first.
	defer t.flush()
	return s.serve(ctx, listener, handler)
}

// A service answers requests and knows whether it wants any.
type service struct {
	options
	logger *slog.Logger
	ready  atomic.Bool
	feed   *watch.Feed

	operation http.Handler // of --metrics-listen
}

// handler puts the API on the store, telemetry around both, and starts what
// goes on beside requests, which release ends.
func (s *service) handler(ctx context.Context, t *telemetry, store *sqlstore.Store, keys *access.Keyring) (h http.Handler, release func(), err error) {
	measured, err := measure(t, store)
	if err != nil {
		return nil, nil, err
	}
	// Asked only once there is a feed.
	fresh := func() bool { return s.feed.Staleness() <= s.CacheStaleness }
	cached := cache.New(measured, s.CacheBytes, fresh, httpapi.Prepare)
	if release, err = s.startBackground(ctx, t, cached, store); err != nil {
		return nil, nil, err
	}
	o := httpapi.Options{
		Store: access.Store(cached), Version: version, Ready: s.ready.Load, Metrics: t.metricsHandler,
		MaxBody: s.MaxBody, Logger: t.logger, TraceID: instrument.TraceID, Observer: t.outcomes,
		Guards: s.guards(keys, t.limits), Principal: access.Name, Rejected: t.limits.Rejected,
		Watch: httpapi.WatchOptions{
			Feed: s.feed, Bookmark: s.WatchBookmark, Observer: t.watches,
			Viewer: func(ctx context.Context) httpapi.Viewer { return access.Viewer(ctx) },
		},
		Memory: cached, Reader: readerOf(keys),
	}
	s.operation = t.middleware(httpapi.NewOperation(o))
	if s.MetricsListen != "" {
		o.Metrics = nil // it is where only operators come
	}
	api, err := httpapi.New(o)
	if err != nil {
		release()
		return nil, nil, err
	}
	return t.middleware(api), release, nil
}

// measure returns store with its calls measured, and shows what else it tells.
func measure(t *telemetry, store *sqlstore.Store) (conf.Store, error) {
	var pools []instrument.Pool
	for _, p := range store.Pools() {
		pools = append(pools, instrument.Pool(p))
	}
	measured, err := t.instrument(store, store.System(), pools...)
	return measured, errors.Join(err, instrument.Disk(t.providers, store.Disk()))
}

// server bounds what a slow or silent client can hold.
func (s *service) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
}

// serve answers until ctx is over; then it turns unready, finishes the requests
// in flight, and cuts off what is left at the stop deadline.
func (s *service) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := s.server(h)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	s.ready.Store(true)
	s.logger.Info("serving", "address", l.Addr().String(), "version", version)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.ready.Store(false)
	s.logger.Info("stopping", "drain_delay", s.DrainDelay.String(), "deadline", s.StopDeadline.String())
	time.Sleep(s.DrainDelay)
	// Not before: until load balancers have noticed, clients would come back.
	s.endWatches()
	return shutdown(server, s.StopDeadline)
}

func shutdown(server *http.Server, deadline time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were still in flight after %s and have been cut off", deadline), server.Close())
	}
	return nil
}
