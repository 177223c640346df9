package conf

import "context"

// A Store keeps applications and configurations and is safe for concurrent
// use. Every call that changes something is one transaction: it has happened
// wholly and durably when the call returns nil, and not at all otherwise.
//
// Each committed transaction has one revision, greater than every earlier
// one's and never used again, also not after a restart. The resources that it
// changed carry that revision.
//
// Errors are of type [Error]. Besides the codes named at each call, any call
// can end in [Unavailable] (the engine is down, or slower than ctx allows) and
// [Internal].
type Store interface {
	// CreateApplication keeps a new application of a's name and comments and
	// returns it as kept. Codes: Invalid, Exists.
	CreateApplication(ctx context.Context, a Application) (Application, error)

	// Application returns one application. Code: NotFound.
	Application(ctx context.Context, id string) (Application, error)

	// Applications returns a window of the applications that q selects, in
	// order of creation.
	Applications(ctx context.Context, q ApplicationQuery) (Page[Application], error)

	// UpdateApplication applies edit to the application and keeps the result.
	// Only the name and the comments are edit's to change. Codes: NotFound,
	// Invalid, Exists, and whatever edit returns.
	UpdateApplication(ctx context.Context, id string, edit Edit[Application]) (Application, error)

	// DeleteApplication removes the application with all its configurations,
	// if check agrees, and returns the revision. Codes: NotFound, and
	// whatever check returns.
	DeleteApplication(ctx context.Context, id string, check Edit[Application]) (int64, error)

	// CreateConfiguration keeps a new configuration of c's application, name,
	// comments and config as version 1 and returns it as kept. Codes:
	// Invalid, UnknownApplication, Exists.
	CreateConfiguration(ctx context.Context, c Configuration) (Configuration, error)

	// Configuration returns one configuration. Code: NotFound.
	Configuration(ctx context.Context, id string) (Configuration, error)

	// ConfigurationByName returns the configuration that has this name in the
	// application of that name. Code: NotFound.
	ConfigurationByName(ctx context.Context, application, name string) (Configuration, error)

	// Configurations returns a window of the configurations that q selects,
	// in order of creation. Code: NotFound, when q's application is unknown.
	Configurations(ctx context.Context, q ConfigurationQuery) (Page[Configuration], error)

	// UpdateConfiguration applies edit to the configuration and keeps the
	// result as its next version. Only the name, the comments and the config
	// are edit's to change. Codes: NotFound, Invalid, Exists, and whatever
	// edit returns.
	UpdateConfiguration(ctx context.Context, id string, edit Edit[Configuration]) (Configuration, error)

	// DeleteConfiguration removes the configuration, if check agrees, and
	// returns the revision. Codes: NotFound, and whatever check returns.
	DeleteConfiguration(ctx context.Context, id string, check Edit[Configuration]) (int64, error)

	History

	// Stats returns the store's totals as of its last commit, at a cost that
	// does not grow with them.
	Stats(ctx context.Context) (Stats, error)
}

// An Edit changes a resource, or only looks at it and disagrees by returning
// an error. It runs inside the transaction that keeps the result, so what it
// sees is what it changes: compare-and-set is an Edit that compares. It may
// run more than once, must not block, and must not call the store.
type Edit[T any] func(*T) error

// Stats are the totals of a store.
type Stats struct {
	Revision       int64 // the last committed; 0 before the first change
	Applications   int64
	Configurations int64
}
