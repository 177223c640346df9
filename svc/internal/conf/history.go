package conf

import (
	"context"
	"encoding/json"
	"time"
)

// What a change did.
const (
	Create   = "create"
	Update   = "update"
	Rollback = "rollback"
	Delete   = "delete"
)

// A Version is a configuration as one of its changes left it. Its JSON form is
// the contract's.
type Version struct {
	Version   int64           `json:"version"`
	Revision  int64           `json:"revision"`
	Name      string          `json:"name"`
	Comments  *string         `json:"comments"`
	Config    json.RawMessage `json:"config"`
	ChangedBy *string         `json:"changed_by"` // null: not known
	CreatedAt time.Time       `json:"created_at"`
}

// A Transaction is everything that one committed write changed. Its JSON form
// is that of a watch's events.
type Transaction struct {
	Revision int64    `json:"revision"`
	Changes  []Change `json:"changes"` // of one application
}

// A Change is one resource as a transaction left it, or, when it was deleted,
// as it last was.
type Change struct {
	Operation       string          `json:"operation"`
	ApplicationID   string          `json:"application_id"`
	ConfigurationID string          `json:"configuration_id,omitempty"` // empty: the application itself
	Name            string          `json:"name"`
	Comments        *string         `json:"comments"`
	Config          json.RawMessage `json:"config,omitempty"` // absent: deleted, or the application itself
	Version         int64           `json:"version,omitempty"`
	ChangedBy       *string         `json:"changed_by"`
	CreatedAt       time.Time       `json:"created_at"` // of the resource
	UpdatedAt       time.Time       `json:"updated_at"` // of this change
}

// A Point is a moment of the store: a revision or, when that is zero, a time.
type Point struct {
	Revision int64
	Time     time.Time
}

// An AuditEntry tells who changed what, when and from where. Its JSON form is
// the contract's.
type AuditEntry struct {
	Revision        int64     `json:"revision"`
	Time            time.Time `json:"time"`
	ChangedBy       *string   `json:"changed_by"`   // null: not known
	ChangedFrom     *string   `json:"changed_from"` // an IP address; null: not known
	Operation       string    `json:"operation"`
	ApplicationID   string    `json:"application_id"`
	ConfigurationID *string   `json:"configuration_id"` // null: the application itself
	Name            string    `json:"name"`
	Version         *int64    `json:"version"` // null: the application itself
}

// An AuditQuery selects entries of the audit.
type AuditQuery struct {
	Window
	ApplicationID   string // empty selects all, as below
	ConfigurationID string
	ChangedBy       string
}

// Retention says how long history is kept. A version goes when it is older
// than Age and not among the last Versions of its configuration; the entry
// that it leaves in the audit goes when it is older than Audit.
type Retention struct {
	Versions int
	Age      time.Duration
	Audit    time.Duration
}

// History is the part of a [Store] that remembers.
type History interface {
	// Versions returns a window of a configuration's versions that are kept,
	// the newest first. Code: NotFound.
	Versions(ctx context.Context, id string, w Window) (Page[Version], error)

	// Version returns one version. Code: NotFound, when there is none or it
	// is no longer kept.
	Version(ctx context.Context, id string, version int64) (Version, error)

	// RollbackConfiguration makes the configuration's next version of the
	// name, comments and config of an earlier one, if check agrees. Codes:
	// NotFound, Exists, and whatever check returns.
	RollbackConfiguration(ctx context.Context, id string, version int64, check Edit[Configuration]) (Configuration, error)

	// ConfigurationAt returns the configuration as it was at a point. Codes:
	// NotFound, when it did not exist then or that is no longer kept; Invalid,
	// when the point has not come yet.
	ConfigurationAt(ctx context.Context, id string, at Point) (Configuration, error)

	// ConfigurationByNameAt is like ConfigurationAt for the configuration that
	// had this name in the application that had that one.
	ConfigurationByNameAt(ctx context.Context, application, name string, at Point) (Configuration, error)

	// Changes returns the transactions after a revision in order, at most
	// limit of them, none left out. Code: Compacted, when some of them are no
	// longer kept.
	Changes(ctx context.Context, after int64, limit int) ([]Transaction, error)

	// Audit returns a window of the entries that q selects, the newest first.
	Audit(ctx context.Context, q AuditQuery) (Page[AuditEntry], error)

	// Prune forgets what r does not keep.
	Prune(ctx context.Context, r Retention) error
}

// An Actor is who makes a change, and from where. Empty means not known.
type Actor struct {
	Name    string
	Address string
}

type actorKey struct{}

// WithActor returns ctx for calls that a makes.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who makes the calls of ctx.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
