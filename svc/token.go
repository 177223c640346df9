package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	cli "configservice/internal/options"
	"configservice/svc/internal/access"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// tokenOptions are those of the sub-command token.
type tokenOptions struct {
	options
	action       string // create, list, revoke
	subject      string // the token to revoke
	name         string
	scope        string
	applications []string
	expires      time.Duration
}

func (o *tokenOptions) set() *cli.Set {
	s := cli.NewSet("config-service token", envPrefix)
	o.options.setDatabase(s)
	s.StringVar(&o.name, "name", "", "")
	s.StringVar(&o.scope, "scope", "", "")
	s.DurationVar(&o.expires, "expires", 0, "")
	s.Func("application", "", func(v string) error { o.applications = append(o.applications, v); return nil })
	return s
}

// runToken is the program when its first argument is token: it returns the
// exit code.
func runToken(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parseTokenOptions(args[1:], getenv)
	if err != nil {
		return refused(err, "config-service token", func() string { return tokenHelp }, stdout, stderr)
	}
	return ended(o.run(ctx, stdout, stderr), stderr)
}

// parseTokenOptions is like parseOptions. The environment tells of the
// database, and never what a token is good for.
func parseTokenOptions(args []string, getenv func(string) string) (o tokenOptions, err error) {
	rest, err := o.set().Parse(args, func(name string) string {
		if !strings.HasPrefix(name, envPrefix+"DATABASE_") {
			return ""
		}
		return getenv(name)
	})
	if errors.Is(err, flag.ErrHelp) {
		return o, err
	}
	faults := append([]error{err}, o.checkDatabase()...)
	if len(rest) > 0 {
		o.action, rest = rest[0], rest[1:]
	}
	if o.action == "revoke" && len(rest) > 0 {
		o.subject, rest = rest[0], rest[1:]
	}
	for _, arg := range rest {
		faults = append(faults, fmt.Errorf("unexpected argument %q", arg))
	}
	return o, errors.Join(append(faults, o.check()...)...)
}

func (o tokenOptions) check() (faults []error) {
	fault := func(bad bool, text string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(text, args...))
		}
	}
	creates := o.action == "create"
	fault(!slices.Contains([]string{"create", "list", "revoke"}, o.action), "token needs one of create, list and revoke, not %q", o.action)
	fault(creates && o.name == "", "--name is needed: it tells in the history who made a change")
	fault(creates && !conf.Scope(o.scope).Covers(conf.ScopeRead), "--scope is %q; it must be read, write or admin", o.scope)
	fault(o.expires < 0, "--expires is %s; it must be positive", o.expires)
	fault(!creates && (o.name != "" || o.scope != "" || o.expires != 0 || o.applications != nil), "--name, --scope, --application and --expires are for token create alone")
	fault(o.action == "revoke" && o.subject == "", "token revoke needs the token's name or id")
	return faults
}

func (o tokenOptions) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	store, err := sqlstore.Open(ctx, o.DatabaseURL, o.storeOptions(nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	switch o.action {
	case "create":
		return o.create(ctx, store, stdout, stderr)
	case "revoke":
		return o.revoke(ctx, store, stdout)
	}
	return listTokens(ctx, store, stdout)
}

// create prints the secret, and nothing else, on stdout, for scripts.
func (o tokenOptions) create(ctx context.Context, store *sqlstore.Store, stdout, stderr io.Writer) error {
	secret, hash := access.NewSecret()
	t := conf.Token{Name: o.name, Hash: hash, Scope: conf.Scope(o.scope)}
	if o.expires > 0 {
		t.ExpiresAt = time.Now().Add(o.expires)
	}
	for _, named := range o.applications {
		id, err := findApplication(ctx, store, named)
		if err != nil {
			return err
		}
		t.Applications = append(t.Applications, id)
	}
	if _, err := store.CreateToken(ctx, t); err != nil {
		return err
	}
	fmt.Fprintln(stderr, "This is the only time that the token is shown. Running services take it within a second.")
	_, err := fmt.Fprintln(stdout, secret)
	return err
}

// findApplication returns the id of the application of this id or else of this
// name.
func findApplication(ctx context.Context, store conf.Store, named string) (string, error) {
	a, err := store.Application(ctx, named)
	if conf.CodeOf(err) != conf.NotFound {
		return a.ID, err
	}
	page, err := store.Applications(ctx, conf.ApplicationQuery{Window: conf.Window{Limit: 1}, Name: named})
	if err != nil {
		return "", err
	}
	if named == "" || len(page.Items) == 0 {
		return "", fmt.Errorf("no application has the id or the name %q", named)
	}
	return page.Items[0].ID, nil
}

func (o tokenOptions) revoke(ctx context.Context, store *sqlstore.Store, stdout io.Writer) error {
	t, err := store.RevokeToken(ctx, o.subject)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "revoked %s (%s); running services refuse it within a second\n", t.Name, t.ID)
	return err
}

func listTokens(ctx context.Context, store *sqlstore.Store, stdout io.Writer) error {
	set, err := store.Tokens(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPE\tAPPLICATIONS\tCREATED\tEXPIRES")
	for _, t := range set.Tokens {
		applications := "all"
		if t.Applications != nil {
			applications = strings.Join(t.Applications, ",")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Scope, applications, t.CreatedAt.Format(time.RFC3339), expiryOf(t))
	}
	return w.Flush()
}

func expiryOf(t conf.Token) string {
	switch {
	case t.ExpiresAt.IsZero():
		return "never"
	case t.ExpiresAt.Before(time.Now()):
		return "expired " + t.ExpiresAt.Format(time.RFC3339)
	}
	return t.ExpiresAt.Format(time.RFC3339)
}

const tokenHelp = `config-service token says who may call the API: with the header
Authorization: Bearer TOKEN, from the first token ever made on.

usage: config-service token create --name NAME --scope SCOPE [OPTION...]
       config-service token list
       config-service token revoke NAME-OR-ID

Running services on the same database follow within a second.

options:
  --name NAME
      tells in the history of configurations who made a change
  --scope SCOPE
      read; write, which may read too; or admin, which may also see the audit
  --application ID-OR-NAME
      what the token is limited to; may be given several times; default all
  --expires TIME
      how long it is good, like 720h; default for ever
  --database-url URL
      as of the service; CONFIG_SERVICE_DATABASE_URL
  --database-timeout TIME
      as of the service; CONFIG_SERVICE_DATABASE_TIMEOUT
`
