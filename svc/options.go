package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	cli "configservice/internal/options"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/httpapi"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/watch"
)

// options are what a user may set.
type options struct {
	Command   string // one of commands
	HealthURL string // what the command health asks; empty: the service at Listen

	Listen       string
	DatabaseURL  string
	MaxConns     int
	DBTimeout    time.Duration
	MaxBody      int64
	DrainDelay   time.Duration
	StopDeadline time.Duration
	LogLevel     slog.Level

	AllowAnonymous bool
	MetricsListen  string // empty: as Listen
	DebugListen    string // empty: nowhere
	MaxRequests    int
	WriteRate      float64 // a second; 0: not limited
	WriteBurst     int

	CacheBytes     int64
	CacheStaleness time.Duration

	MaxWatchers   int
	WatchBookmark time.Duration
	Retention     conf.Retention
}

// commands are the sub-commands, the default first.
var commands = append([]string{"serve", "migrate", "token", "health", "version"}, transferCommands...)

const (
	envPrefix          = "CONFIG_SERVICE_"
	defaultDatabaseURL = "sqlite:config-service.db"
)

func (o *options) set() *cli.Set {
	s := cli.NewSet("config-service", envPrefix)
	s.StringVar(&o.Listen, "listen", "127.0.0.1:8000", "`HOST:PORT` to listen on; an empty HOST means every address")
	o.setDatabase(s)
	s.IntVar(&o.MaxConns, "database-max-connections", sqlstore.DefaultMaxConnections, "largest `number` of connections; on SQLite of those that serve reads")
	s.Int64Var(&o.MaxBody, "max-body", httpapi.DefaultMaxBody, "largest request body in `bytes`")
	s.BoolVar(&o.AllowAnonymous, "allow-anonymous", false, "serve everybody, on any address, as long as no token was ever made")
	s.StringVar(&o.MetricsListen, "metrics-listen", "", "`HOST:PORT` that serves /metrics, and health too; --listen does not serve /metrics then")
	s.StringVar(&o.DebugListen, "debug-listen", "", "`HOST:PORT` that serves profiles of the running program to whoever can reach it, at /debug/pprof/; nowhere unless set")
	s.IntVar(&o.MaxRequests, "max-concurrent-requests", 1024, "largest `number` of requests that are answered at a time; others get 503")
	s.Float64Var(&o.WriteRate, "write-rate", 5000, "largest `number` of writes a second by one token, or by one address without a token; 0 means any")
	s.IntVar(&o.WriteBurst, "write-burst", 10000, "largest `number` of such writes at once")
	s.DurationVar(&o.DrainDelay, "drain-delay", 0, "`time` between turning unready and closing the listener, for load balancers to notice")
	s.DurationVar(&o.StopDeadline, "stop-deadline", 10*time.Second, "longest `time` for requests in flight and telemetry at stop")
	s.Int64Var(&o.CacheBytes, "cache-bytes", 64<<20, "`bytes` of memory for configurations that were read; the process takes some 35 MB beside it, and as much again, 64 MiB at least, before it collects garbage")
	s.DurationVar(&o.CacheStaleness, "cache-staleness", 5*time.Second, "longest `time` that an answer from memory may lag behind other replicas")
	s.IntVar(&o.MaxWatchers, "max-watchers", watch.DefaultMaxWatchers, "largest `number` of clients that watch or wait for changes")
	s.DurationVar(&o.WatchBookmark, "watch-bookmark", httpapi.DefaultBookmark, "`time` without an event after which a watch tells how current it is")
	s.IntVar(&o.Retention.Versions, "history-versions", 100, "`number` of versions of each configuration that are kept whatever their age")
	s.DurationVar(&o.Retention.Age, "history-age", 30*24*time.Hour, "`time` that every version is kept, and a watch can go back")
	s.DurationVar(&o.Retention.Audit, "audit-age", 365*24*time.Hour, "`time` that entries of the audit are kept")
	s.TextVar(&o.LogLevel, "log-level", slog.LevelInfo, "lowest `level` that is logged: DEBUG, INFO, WARN, ERROR")
	return s
}

// setDatabase defines what every command that opens the database wants.
func (o *options) setDatabase(s *cli.Set) {
	s.StringVar(&o.DatabaseURL, "database-url", defaultDatabaseURL, "`URL` of the store: sqlite:PATH or postgres://USER@HOST/DATABASE")
	s.DurationVar(&o.DBTimeout, "database-timeout", sqlstore.DefaultTimeout, "longest `time` for one call of the store")
}

// parseOptions reports everything that is wrong in one error. It returns
// [flag.ErrHelp] when help is asked for.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var o options
	rest, err := o.set().Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	faults := []error{err}
	o.Command = commands[0]
	if len(rest) > 0 {
		o.Command, rest = rest[0], rest[1:]
	}
	if familyOf(o.Command) != nil { // or run would not have come here
		faults = append(faults, fmt.Errorf("%s must be the first argument", o.Command))
	}
	if !slices.Contains(commands, o.Command) {
		faults = append(faults, fmt.Errorf("there is no command %q, only %s", o.Command, strings.Join(commands, ", ")))
	}
	if o.Command == "health" && len(rest) > 0 {
		o.HealthURL, rest = rest[0], rest[1:]
	}
	for _, arg := range rest {
		faults = append(faults, fmt.Errorf("unexpected argument %q", arg))
	}
	return o, errors.Join(append(faults, o.check()...)...)
}

// check reports values that parse but make no sense.
func (o options) check() (faults []error) {
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!isHostPort(o.Listen), "--listen is %q; it must be HOST:PORT", o.Listen)
	fault(o.MetricsListen != "" && !isHostPort(o.MetricsListen), "--metrics-listen is %q; it must be HOST:PORT", o.MetricsListen)
	fault(o.DebugListen != "" && !isHostPort(o.DebugListen), "--debug-listen is %q; it must be HOST:PORT", o.DebugListen)
	fault(o.HealthURL != "" && !isHTTP(o.HealthURL), "health: %q is not a URL; it must be http://HOST:PORT/PATH", o.HealthURL)
	fault(o.MaxConns < 1, "--database-max-connections is %d; it must be at least 1", o.MaxConns)
	fault(o.MaxBody < 1, "--max-body is %d; it must be at least 1", o.MaxBody)
	fault(o.MaxRequests < 1, "--max-concurrent-requests is %d; it must be at least 1", o.MaxRequests)
	fault(!(o.WriteRate == 0 || o.WriteRate >= 0.001 && o.WriteRate <= 1e6), "--write-rate is %g; it must be 0, or from 0.001 to 1000000", o.WriteRate)
	fault(o.WriteBurst < 1 || o.WriteBurst > 1e6, "--write-burst is %d; it must be from 1 to 1000000", o.WriteBurst)
	fault(o.DrainDelay < 0, "--drain-delay is %s; it must not be negative", o.DrainDelay)
	fault(o.StopDeadline <= 0, "--stop-deadline is %s; it must be positive", o.StopDeadline)
	fault(o.CacheBytes < 0, "--cache-bytes is %d; it must not be negative", o.CacheBytes)
	fault(o.CacheStaleness <= 0, "--cache-staleness is %s; it must be positive", o.CacheStaleness)
	fault(o.MaxWatchers < 1, "--max-watchers is %d; it must be at least 1", o.MaxWatchers)
	fault(o.WatchBookmark <= 0, "--watch-bookmark is %s; it must be positive", o.WatchBookmark)
	fault(o.Retention.Versions < 1, "--history-versions is %d; it must be at least 1", o.Retention.Versions)
	fault(o.Retention.Age <= 0, "--history-age is %s; it must be positive", o.Retention.Age)
	fault(o.Retention.Audit <= 0, "--audit-age is %s; it must be positive", o.Retention.Audit)
	return append(faults, o.checkDatabase()...)
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "http" && u.Host != ""
}

func isHostPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	return err == nil && port != ""
}

func (o options) checkDatabase() (faults []error) {
	if _, err := sqlstore.ParseURL(o.DatabaseURL); err != nil {
		faults = append(faults, fmt.Errorf("--database-url: %w", err))
	}
	if o.DBTimeout <= 0 {
		faults = append(faults, fmt.Errorf("--database-timeout is %s; it must be positive", o.DBTimeout))
	}
	return faults
}

func (o options) storeOptions(observer sqlstore.PoolObserver) sqlstore.Options {
	return sqlstore.Options{MaxConnections: o.MaxConns, Timeout: o.DBTimeout, Observer: observer}
}

// dialAddress is where a client on this machine reaches a server that listens
// on listen.
func dialAddress(listen string) string {
	host, port, _ := net.SplitHostPort(listen) // checked with the options
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func help() string {
	var o options
	return `config-service serves named JSON configurations over HTTP.

usage: config-service [COMMAND] [OPTION...]

commands:
  serve      bring the database's schema up to date and serve (default)
  migrate    bring the database's schema up to date and exit
  token      say who may call the API: token --help tells more
  export, import, backup, restore
             move whole stores: export --help tells more
  health [URL]
             ask the service at --listen whether it is ready, or any server at URL: exit 0
             if the answer is 200, 1 if not
  version    print the version

options, each with its environment variable, which the flag overrides:
` + o.set().Help() + `
Telemetry is set by the standard OTEL_* variables
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
OTEL_SDK_DISABLED=true turns all of it off.
`
}
