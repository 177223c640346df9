package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	neturl "net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// defaultSchema is where the store keeps to in a PostgreSQL database.
const defaultSchema = "config_service"

// Connections are renewed, so that those of a day's load balance again over
// the servers behind one name, and idle ones are given back.
const (
	maxConnectionAge  = 30 * time.Minute
	maxConnectionIdle = 5 * time.Minute
	maxConnectTime    = 10 * time.Second // unless the URL says connect_timeout
)

// postgres is how to reach a store in PostgreSQL.
type postgres struct {
	config *pgx.ConnConfig
	schema string
}

// parsePostgres reads a URL. Its error shows no password.
func parsePostgres(url string) (postgres, error) {
	if ambiguous(url) {
		return postgres{}, errors.New("database URL: it is malformed: " + urlForm)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return postgres{}, fmt.Errorf("database URL: %v: %s", err, urlForm) // not wrapped: it masks the password in its text only
	}
	p := postgres{config: config, schema: defaultSchema}
	if path, ok := config.RuntimeParams["search_path"]; ok {
		p.schema = strings.Trim(path, `" `)
	}
	if p.schema == "" || strings.ContainsAny(p.schema, `,"$`) || len(p.schema) > 63 {
		return postgres{}, errors.New("database URL: search_path must name one schema, where the store keeps its tables")
	}
	config.RuntimeParams["search_path"] = pgx.Identifier{p.schema}.Sanitize()
	p.setDefault("application_name", "config-service")
	return p, nil
}

const urlForm = "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for an @ in the password, %2F for a /, %3A for a :, %3F for a ?, %25 for a %"

// ambiguous reports whether one cannot tell where a URL's password is: a part
// of it would be taken for a host, a port or a database, which errors show.
func ambiguous(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	end := strings.IndexAny(rest+"/", "/?#")
	authority, tail := rest[:end], rest[end:]
	if strings.Count(authority, "@") > 1 || strings.Contains(tail, "@") {
		return true
	}
	for host := range strings.SplitSeq(authority[strings.Index(authority, "@")+1:], ",") {
		if _, err := neturl.Parse("//" + host); err != nil {
			return true
		}
	}
	return false
}

// setDefault sets a parameter of the session that neither the URL nor the
// environment has.
func (p postgres) setDefault(parameter, value string) {
	if _, ok := p.config.RuntimeParams[parameter]; !ok {
		p.config.RuntimeParams[parameter] = value
	}
}

// openPostgres opens the store in the database that url names.
func openPostgres(ctx context.Context, url string, o Options) (*Store, error) {
	p, err := parsePostgres(url)
	if err != nil {
		return nil, err
	}
	if p.config.ConnectTimeout == 0 {
		p.config.ConnectTimeout = min(o.Timeout, maxConnectTime)
	}
	if err := p.prepare(ctx); err != nil {
		return nil, p.cannotOpen(err)
	}
	reader, writer := p.pools(o)
	return newStore(postgresDialect(), reader, writer, p.listen, nil), nil
}

// pools returns a pool for reads and a pool for writes, which are one but for
// the turns of the writes: they queue for one lock anyway, and would keep the
// reads from having a connection while they do.
func (p postgres) pools(o Options) (reader, writer *pool) {
	p = p.copy()
	// The server gives up at the time that the caller does, also when it does
	// not notice that the caller has, and frees the lock of one that stalls.
	p.setDefault("statement_timeout", milliseconds(o.Timeout))
	p.setDefault("idle_in_transaction_session_timeout", milliseconds(2*o.Timeout))
	lost := &lossTime{}
	connector := stdlib.GetConnector(*p.config, stdlib.OptionShouldPing(func(_ context.Context, c stdlib.ShouldPingParams) bool {
		return c.IdleDuration > time.Second || lost.after(time.Now().Add(-c.IdleDuration))
	}))
	reader = newPool("postgresql", pipelineConnector{connector}, o.MaxConnections, o)
	reader.lost = lost
	reader.db.SetConnMaxLifetime(maxConnectionAge)
	reader.db.SetConnMaxIdleTime(maxConnectionIdle)
	shared := *reader
	writer = &shared
	writer.turns = make(chan struct{}, 1)
	return reader, writer
}

func (p postgres) copy() postgres { return postgres{config: p.config.Copy(), schema: p.schema} }

// prepare brings the schema up to date, one program at a time, however many
// start at once. Its connections have no limit on a statement's time, which a
// migration may need. A lock that is held by a session ends with it, so a
// program that dies leaves none behind.
func (p postgres) prepare(ctx context.Context) (err error) {
	db := stdlib.OpenDB(*p.config)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // what is left of it ends with db
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, applicationID, p.schema); err != nil {
		return err
	}
	if err := p.inspect(ctx, conn); err != nil {
		return err
	}
	if err := migrate(ctx, db, postgresDialect()); err != nil {
		return err
	}
	return p.keepDurable(ctx, conn)
}

// inspect makes the schema if there is none, and refuses one that another
// program has filled.
func (p postgres) inspect(ctx context.Context, conn *sql.Conn) error {
	var exists, foreign bool
	err := conn.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1),
			EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'goose_db_version')
			AND NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
				WHERE n.nspname = $1 AND c.relname = 'store' AND obj_description(c.oid, 'pg_class') = 'Configuration Service')`,
		p.schema).Scan(&exists, &foreign)
	switch {
	case err != nil:
		return err
	case foreign:
		return fmt.Errorf("its schema %q holds another program's tables, and has been left as it was: name another schema in the URL, as search_path=NAME", p.schema)
	case exists:
		return nil
	}
	_, err = conn.ExecContext(ctx, `CREATE SCHEMA `+pgx.Identifier{p.schema}.Sanitize())
	return err
}

// keepDurable overrules a server that acknowledges commits before they are on
// disk. Other settings than off are the administrator's choice of replicas.
func (p postgres) keepDurable(ctx context.Context, conn *sql.Conn) error {
	var setting string
	err := conn.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit')`).Scan(&setting)
	if setting == "off" {
		p.config.RuntimeParams["synchronous_commit"] = "on"
	}
	return err
}
