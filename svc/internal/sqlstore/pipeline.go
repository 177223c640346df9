package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// late is the key of contexts that let a statement wait for the next one.
type late struct{}

// lately returns a context for statements of a transaction whose outcome nobody
// waits for. Where the engine is remote they are sent with the next statement that
// has another context, in one round trip, and their failure is that one's.
func lately(ctx context.Context) context.Context { return context.WithValue(ctx, late{}, true) }

// pipelineConnector opens connections to PostgreSQL that let statements wait.
type pipelineConnector struct{ driver.Connector }

func (c pipelineConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &pipelineConn{Conn: conn.(*stdlib.Conn), waiting: &pgx.Batch{}}, nil
}

// pipelineConn has statements that wait only while a transaction is under way.
type pipelineConn struct {
	*stdlib.Conn
	waiting *pgx.Batch
}

func (c *pipelineConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if ctx.Value(late{}) != nil {
		c.waiting.Queue(query, values(args)...)
		return driver.ResultNoRows, nil
	}
	if c.waiting.Len() == 0 {
		return c.Conn.ExecContext(ctx, query, args)
	}
	var result driver.RowsAffected
	c.waiting.Queue(query, values(args)...).Exec(func(tag pgconn.CommandTag) error {
		result = driver.RowsAffected(tag.RowsAffected())
		return nil
	})
	return result, c.send(ctx)
}

func (c *pipelineConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if c.waiting.Len() == 0 {
		return c.Conn.QueryContext(ctx, query, args)
	}
	rows := &keptRows{}
	c.waiting.Queue(query, values(args)...).Query(rows.keep)
	return rows, c.send(ctx)
}

// send carries out all that waits, or nothing of what follows a failure.
func (c *pipelineConn) send(ctx context.Context) error {
	all := c.waiting
	c.waiting = &pgx.Batch{}
	return c.Conn.Conn().SendBatch(ctx, all).Close()
}

// BeginTx implements [driver.ConnBeginTx].
func (c *pipelineConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &pipelineTx{tx, c}, nil
}

// pipelineTx leaves nothing waiting for whoever has the connection next.
type pipelineTx struct {
	driver.Tx
	conn *pipelineConn
}

var errUnsent = errors.New("a transaction was to be committed without all of its statements")

func (t *pipelineTx) Commit() error {
	if t.conn.waiting.Len() > 0 {
		return errors.Join(errUnsent, t.Rollback())
	}
	return t.Tx.Commit()
}

func (t *pipelineTx) Rollback() error {
	t.conn.waiting = &pgx.Batch{}
	return t.Tx.Rollback()
}

func values(args []driver.NamedValue) []any {
	all := make([]any, len(args))
	for i, a := range args {
		all[i] = a.Value
	}
	return all
}

// keptRows are the rows of a query whose results had to be read at once.
type keptRows struct {
	columns []string
	rows    [][]any
}

func (r *keptRows) keep(rows pgx.Rows) error {
	if err := rows.Err(); err != nil { // then there may be no columns to ask for
		return err
	}
	for _, f := range rows.FieldDescriptions() {
		r.columns = append(r.columns, f.Name)
	}
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return err
		}
		r.rows = append(r.rows, row)
	}
	return rows.Err()
}

func (r *keptRows) Columns() []string { return r.columns }

func (r *keptRows) Close() error { return nil }

func (r *keptRows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	for i, v := range r.rows[0] {
		dest[i] = v
	}
	r.rows = r.rows[1:]
	return nil
}
