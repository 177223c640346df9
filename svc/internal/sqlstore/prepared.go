package sqlstore

import (
	"context"
	"database/sql/driver"
)

// maxPrepared bounds the statements that a connection keeps. The store has some
// fifty texts, and more where a text grows with what it is asked for.
const maxPrepared = 100

// preparedConnector opens SQLite connections that compile a statement once:
// compiling takes longer than what most of them do.
type preparedConnector struct{ driver.Connector }

func (c preparedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{sqliteConn: conn.(sqliteConn), idle: map[string]driver.Stmt{}}, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn keeps the statements that are not in use. As all connections, it
// has one user at a time.
type preparedConn struct {
	sqliteConn
	idle map[string]driver.Stmt
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	defer c.put(query, s)
	return s.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.put(query, s)
		return nil, err
	}
	return &preparedRows{Rows: rows, put: func() { c.put(query, s) }}, nil
}

// take returns a statement that nobody else uses until it is put back.
func (c *preparedConn) take(ctx context.Context, query string) (driver.Stmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	return c.PrepareContext(ctx, query)
}

func (c *preparedConn) put(query string, s driver.Stmt) {
	if _, another := c.idle[query]; another || len(c.idle) == maxPrepared {
		_ = s.Close() // it has done its work
		return
	}
	c.idle[query] = s
}

// Close implements [driver.Conn].
func (c *preparedConn) Close() error {
	for _, s := range c.idle {
		_ = s.Close() // the connection's own error tells more
	}
	return c.sqliteConn.Close()
}

// preparedRows give their statement back.
type preparedRows struct {
	driver.Rows
	put func()
}

func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	r.put()
	return err
}
