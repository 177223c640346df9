package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
)

// A dialect is what differs between the engines, beside how each is opened and
// how its errors are told apart. All else is the same, the SQL text included.
type dialect struct {
	system     string        // the engine's name among OpenTelemetry's db.system.name
	goose      goose.Dialect // its name to goose
	migrations string        // the directory of its migrations

	read  sql.TxOptions // makes all statements of a read see one state
	write sql.TxOptions // lets a write see, once it has the lock, what was committed before

	// remote engines may fall silent, so that statements need a deadline. One
	// that is linked in waits for the disk alone, which no deadline interrupts.
	remote bool
}

// bound returns the context for the statements of a transaction.
func (d dialect) bound(timeout time.Duration) (context.Context, context.CancelFunc) {
	if d.remote {
		return context.WithTimeout(context.Background(), timeout)
	}
	return context.Background(), func() {}
}

// SQLite has no choice to offer: a transaction sees one state, and there is one
// writer at a time.
func sqliteDialect() dialect {
	return dialect{
		system: "sqlite", goose: goose.DialectSQLite3, migrations: "migrations/sqlite",
		read: sql.TxOptions{ReadOnly: true},
	}
}

// The levels are named because an administrator may have set other defaults.
func postgresDialect() dialect {
	return dialect{
		system: "postgresql", goose: goose.DialectPostgres, migrations: "migrations/postgres",
		read:   sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
		write:  sql.TxOptions{Isolation: sql.LevelReadCommitted},
		remote: true,
	}
}
