package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"configservice/svc/internal/conf"
)

// A fault is what kind of error an engine's is.
type fault int

const (
	unknown     fault = iota
	taken             // a unique value that another row has
	unstorable        // text that the engine cannot hold, and so holds nowhere
	conflict          // with a concurrent transaction: worth another attempt
	lost              // the connection, and with it what was not committed: worth another attempt
	unavailable       // the engine is down, full, read-only or too slow
)

// faultOf tells errors apart by the drivers' types and codes.
func faultOf(err error) fault {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteFault(e.Code())
	}
	// A connection that could not be made is not one that was lost.
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return unavailable
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresFault(e.Code)
	}
	for _, over := range []error{context.DeadlineExceeded, context.Canceled, sql.ErrTxDone} {
		if errors.Is(err, over) {
			return unavailable
		}
	}
	return connectionFault(err)
}

// connectionFault tells the errors of a broken connection, which come from
// neither engine.
func connectionFault(err error) fault {
	for _, broken := range []error{driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, broken) {
			return lost
		}
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		if e.Timeout() {
			return unavailable
		}
		return lost
	}
	return unknown
}

// sqliteFault is by https://sqlite.org/rescode.html.
func sqliteFault(code int) fault {
	if code == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
		return taken
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return unavailable
	}
	return unknown
}

// postgresFault is by https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresFault(state string) fault {
	switch state {
	case "23505": // unique_violation
		return taken
	case "22021": // character_not_in_repertoire: U+0000, or not UTF-8
		return unstorable
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return conflict
	case "57P01", "57P02", "57P05", "25P03": // the server stops, has crashed, or ends a session that idled
		return lost
	case "57014", "55P03", "25006": // query_canceled, lock_not_available, read_only_sql_transaction
		return unavailable
	}
	switch state[:min(2, len(state))] {
	case "08": // connection_exception
		return lost
	case "53", "57", "58": // insufficient_resources, operator_intervention, system_error
		return unavailable
	}
	return unknown
}

// fatal reports whether PostgreSQL ended the connection with err.
func fatal(e *pgconn.PgError) bool { return e.SeverityUnlocalized != "ERROR" }

// passes reports whether what ended in err is worth another attempt.
func passes(err error) bool {
	f := faultOf(err)
	return f == conflict || f == lost
}

func isUniqueViolation(err error) bool { return faultOf(err) == taken }

// translate makes an error of the domain of one of the engine's.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*conf.Error](err); ok {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &conf.Error{Code: conf.Unavailable, Detail: "the database did not answer in time", Err: err}
	}
	switch faultOf(err) {
	case conflict, lost, unavailable:
		return &conf.Error{Code: conf.Unavailable, Detail: "the database is not available", Err: err}
	case unstorable: // what is written has been validated, so this was looked for
		return &conf.Error{Code: conf.NotFound, Detail: "nothing has that name or id: it is not UTF-8, or holds U+0000", Err: err}
	}
	return &conf.Error{Code: conf.Internal, Detail: "the database failed", Err: err}
}

// commitFailed is what a write ends in when its commit does. Mostly that is
// the engine's refusal, and nothing has happened. But when the connection goes
// away while the answer is awaited, nobody knows, and only the caller can tell
// whether to repeat the write is harmless: so it is not repeated here.
func commitFailed(err error) error {
	if _, ok := errors.AsType[*sqlite.Error](err); ok || pgconn.SafeToRetry(err) {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && !fatal(e) {
		return err
	}
	if err == context.Canceled || err == context.DeadlineExceeded || err == sql.ErrTxDone { // database/sql's own, before it asks the engine
		return err
	}
	return &conf.Error{Code: conf.Unavailable, Err: err,
		Detail: "the database went away while it committed: the change may have been made or not, read before you repeat it"}
}
