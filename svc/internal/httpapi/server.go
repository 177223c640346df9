// Package httpapi speaks HTTP for a store: routes, handlers that return
// errors, problem documents, and the OpenAPI contract that describes them.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"

	"configservice/svc/internal/conf"
)

// Options tell what the API serves. Store is required; the rest has defaults.
type Options struct {
	Store   conf.Store
	Version string // of the program, told by /health

	// Ready reports whether the process wants requests; nil means always.
	Ready func() bool

	// Metrics answers GET /metrics; nil means that there is none.
	Metrics http.Handler

	// MaxBody bounds a request's body in bytes; 0 means DefaultMaxBody.
	MaxBody int64

	// Logger gets what went wrong for reasons that the caller may not see,
	// and one line for each change; nil means slog.Default.
	Logger *slog.Logger

	// TraceID returns the id of the trace that ctx belongs to, or ""; nil
	// means that there are no traces.
	TraceID func(ctx context.Context) string

	// Principal returns the name of who makes the request of ctx, or "" when
	// that is not known; nil means that it never is.
	Principal func(ctx context.Context) string

	// Guards stand before every call, the first outermost.
	Guards []Guard

	// Rejected is told of a request that a limit of this package refuses, by
	// the limit's name (body); nil means nobody.
	Rejected func(ctx context.Context, limit string)

	// Observer is told how reads and writes end; nil means nobody.
	Observer Observer

	// Watch tells how changes are watched and waited for.
	Watch WatchOptions

	// Memory has what Store would answer reads of one configuration with, made
	// by [Prepare]; nil means that every read goes to Store. With it, Reader
	// returns who makes a request, nil where that is for the guards to say.
	Memory Memory
	Reader func(r *http.Request) Reader
}

// DefaultMaxBody is the contract's bound on a request's body.
const DefaultMaxBody = 1 << 20

// An Observer is told how reads and writes end. Its methods are called
// concurrently and must not block.
type Observer interface {
	// Read tells of a read of one configuration: its source (cache, store)
	// and its outcome (hit, not_modified, not_found).
	Read(ctx context.Context, source, outcome string)
	// Write tells of a write: its operation (create, update, rollback,
	// delete) and its outcome (ok, conflict, invalid, error).
	Write(ctx context.Context, operation, outcome string)
}

type nobody struct{}

func (nobody) Read(context.Context, string, string)  {}
func (nobody) Write(context.Context, string, string) {}

type server struct {
	Options
	contractJSON http.Handler
	fixed        fixedHeader
}

// New returns the handler of the whole API. It fails only when the contract
// that is built into the program is malformed.
func New(o Options) (*API, error) {
	o.setDefaults()
	contractJSON, err := openapiJSON()
	if err != nil {
		return nil, err
	}
	s := &server{Options: o, contractJSON: contractJSON, fixed: newFixedHeader()}
	if s.Metrics == nil {
		s.Metrics = s.handle(routeNotFound)
	}
	return &API{s, s.recovered(s.literal(s.mux(s.routes())))}, nil
}

func (o *Options) setDefaults() {
	if o.Ready == nil {
		o.Ready = func() bool { return true }
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.TraceID == nil {
		o.TraceID = func(context.Context) string { return "" }
	}
	if o.Principal == nil {
		o.Principal = func(context.Context) string { return "" }
	}
	if o.Rejected == nil {
		o.Rejected = func(context.Context, string) {}
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	o.Watch.setDefaults()
}

// A handler answers a request, or returns an error before it has written
// anything; the error becomes a problem document.
type handler func(http.ResponseWriter, *http.Request) error

func (s *server) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// literal takes a path for what it says. ServeMux redirects one with an empty
// or a dot segment to what it might have meant, so that a name left empty by
// mistake would lead to something else.
func (s *server) literal(next http.Handler) http.Handler {
	missing := s.handle(routeNotFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPlain(r.URL) {
			next.ServeHTTP(w, r)
			return
		}
		given := r.URL.EscapedPath()
		clean := path.Clean(given)
		if strings.HasSuffix(given, "/") && clean != "/" {
			clean += "/"
		}
		if given != clean {
			missing.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isPlain reports whether a path, as most, can have neither an empty segment nor
// one of dots.
func isPlain(u *url.URL) bool {
	return u.RawPath == "" && strings.HasPrefix(u.Path, "/") && !strings.Contains(u.Path, "//") && !strings.Contains(u.Path, "/.")
}

// recovered answers 500 when a handler panics, so that no panic reaches a
// client as a torn connection.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // net/http's own way to drop a connection
			}
			s.Logger.ErrorContext(r.Context(), "a handler panicked",
				"panic", p, "method", r.Method, "stack", string(debug.Stack()))
			s.writeProblem(w, r, problem{Status: http.StatusInternalServerError, Code: conf.Internal, Detail: internalDetail})
		}()
		next.ServeHTTP(w, r)
	})
}
