package sqlstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// cannotOpen says which database could not be opened, why, and what helps. It
// is put together from parts that hold no password.
func (p postgres) cannotOpen(err error) error {
	return fmt.Errorf("cannot open the database %q at %s as the user %q: %w",
		p.config.Database, p.hosts(), p.config.User, p.explain(err))
}

// hosts lists the addresses that a connection is attempted to.
func (p postgres) hosts() string {
	all := []string{address(p.config.Host, p.config.Port)}
	for _, f := range p.config.Fallbacks {
		if a := address(f.Host, f.Port); !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return strings.Join(all, ", ")
}

func address(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// explain tells the usual reasons in words, with the remedy.
func (p postgres) explain(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("the server says: %s (SQLSTATE %s)%s", e.Message, e.Code, p.remedy(e.Code))
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("its host's name is not known (%s): check the host", e.Err)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("its certificate is not trusted (%v): name the authority's with sslrootcert=FILE", e.Err)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return errors.New("nothing answers there: start the server, or check the host and the port")
	case errors.Is(err, context.DeadlineExceeded), pgconn.Timeout(err):
		return fmt.Errorf("no answer within %s: check the host, the port and the network", p.config.ConnectTimeout)
	}
	e, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok {
		return err
	}
	reason := strings.Join(strings.Fields(errors.Unwrap(e).Error()), " ")
	if p.insistsOnTLS() {
		reason += ": the URL's sslmode insists on TLS, and the server must offer it"
	}
	return errors.New(reason)
}

// insistsOnTLS reports whether no connection without TLS would be attempted.
func (p postgres) insistsOnTLS() bool {
	return p.config.TLSConfig != nil &&
		!slices.ContainsFunc(p.config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.TLSConfig == nil })
}

// remedy tells what helps against an SQLSTATE, where that is known.
func (p postgres) remedy(state string) string {
	switch state {
	case "28P01", "28000":
		return ": check the user and the password, and what the server's pg_hba.conf allows"
	case "3D000":
		return ": create the database, for example with createdb " + p.config.Database
	case "42501":
		return fmt.Sprintf(": let the user make the schema (GRANT CREATE ON DATABASE), or make it for the user (CREATE SCHEMA %s AUTHORIZATION …)", p.schema)
	case "25006":
		return ": it is a standby: name the primary, or all servers with target_session_attrs=read-write"
	case "53300":
		return ": raise the server's max_connections, or lower --database-max-connections"
	case "57P03":
		return ": try again when the server is ready"
	}
	return ""
}
