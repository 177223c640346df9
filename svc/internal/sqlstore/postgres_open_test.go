package sqlstore

import (
	"net"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"configservice/svc/internal/pgtest"
)

// password must not be found in any error.
const password = "hunter2"

// tcp returns url as it is reached over TCP, by user with the password.
func tcp(t *testing.T, url, user, parameters string) string {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = net.JoinHostPort("127.0.0.1", u.Query().Get("port"))
	u.User, u.RawQuery = neturl.UserPassword(user, password), parameters
	return u.String()
}

func TestDatabaseThatCannotBeOpenedIsNamedWithTheRemedy(t *testing.T) {
	url := pgtest.Database(t)
	db := admin(t, url)
	sqlExec(t, db, `DO $$ BEGIN CREATE ROLE guest LOGIN PASSWORD 'other'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	sqlExec(t, db, `DO $$ BEGIN CREATE ROLE poor LOGIN PASSWORD '`+password+`'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	for _, tc := range []struct {
		name, url string
		want      []string
	}{
		{"a wrong password", tcp(t, url, "guest", ""), []string{"127.0.0.1:", `"guest"`, "check the user and the password"}},
		{"an unknown host", "postgres://kim:" + password + "@nowhere.invalid/db", []string{"nowhere.invalid:5432", "check the host"}},
		{"a port where nobody listens", "postgres://kim:" + password + "@127.0.0.1:1/db", []string{"127.0.0.1:1", "start the server"}},
		{"a socket that is not there", "postgres://kim:" + password + "@/db?host=/nonexistent", []string{"/nonexistent", "start the server"}},
		{"no TLS", tcp(t, url, "guest", "sslmode=require"), []string{"127.0.0.1:", "TLS", "sslmode"}},
		{"no such database", strings.Replace(url, "/test", "/missing", 1), []string{`"missing`, "create the database"}},
		{"no right to make the schema", tcp(t, url, "poor", ""), []string{`"poor"`, "CREATE SCHEMA config_service"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Open(t.Context(), tc.url, Options{Timeout: 20 * time.Second})
			wantError(t, err, tc.want...)
		})
	}
}

// wantError fails unless err is one line that says all of want and nothing of
// the password.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there was no error")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error %q tells the password, or is of several lines", err)
	}
}

// A server that takes the connection and says nothing must not hold up the
// start for ever.
func TestSilentServerEndsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Open(t.Context(), "postgres://kim:"+password+"@"+l.Addr().String()+"/db", Options{Timeout: 100 * time.Millisecond})
	wantError(t, err, l.Addr().String(), "no answer within 100ms")
}

func TestMalformedURLsAreRefusedWithoutThePassword(t *testing.T) {
	for _, url := range []string{
		"postgres://kim:hunter2@host:port/db",
		"postgres://kim:hunter2/db",
		"postgres://kim@host:hunter2/db",
		"postgres://kim:a/hunter2@host/db",
		"postgres://kim:1/hunter2@host/db",
		"postgres://kim:a?hunter2@host/db",
		"postgres://kim:a@b/hunter2@host/db",
		"postgres://kim:a@hunter2@host/db",
		"postgres://kim:a#hunter2@host:x/db",
		"postgres://kim:%zzhunter2@host/db",
		"postgres://kim@host:hunter2@host/db",
		"postgres://kim:hunter2@host/db?sslmode=odd",
		"postgres://kim@host/db?sslmode=odd&password=hunter2",
		"postgres://kim:hunter2@host/db?search_path=a,b",
		"postgresql://kim:hunter2@host/db?sslmode=verify-full&sslrootcert=/nonexistent",
	} {
		if _, err := ParseURL(url); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("ParseURL(%q): error %v, want one without the password", url, err)
		}
	}
}

func TestURLsTellTheSystem(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:store.db":                   "sqlite",
		"postgres://kim@host/db":            "postgresql",
		"postgresql://a:b@h1:1,h2:2/db":     "postgresql",
		"postgres:///db?host=/run/postgres": "postgresql",
	} {
		if got, err := ParseURL(url); err != nil || got != want {
			t.Errorf("ParseURL(%q) is %q (%v), want %q", url, got, err, want)
		}
	}
}

func TestSchemasThatAreNotOursAreRefusedAndLeftAlone(t *testing.T) {
	for _, tc := range []struct{ name, make, want string }{
		{"another program's", `CREATE SCHEMA config_service; CREATE TABLE config_service.store (x int)`, "another program's tables"},
		{"another program's migrations", `CREATE SCHEMA config_service; CREATE TABLE config_service.goose_db_version (id int); CREATE TABLE config_service.users (x int)`, "search_path"},
		{"a newer schema", `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`, "newer version of the program"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := pgtest.Database(t)
			db := admin(t, url)
			if strings.HasPrefix(tc.make, "INSERT") {
				createApplication(t, openURL(t, url, Options{}), "kept")
			}
			sqlExec(t, db, tc.make)
			const tables = `SELECT count(*) FROM pg_class c WHERE relnamespace = 'config_service'::regnamespace`
			var before int
			if err := db.QueryRowContext(t.Context(), tables).Scan(&before); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), url, Options{})
			wantError(t, err, tc.want)
			wantInt(t, db, tables, before)
		})
	}
}

func TestOtherProgramsTablesInTheDatabaseDoNotMatter(t *testing.T) {
	url := pgtest.Database(t)
	db := admin(t, url)
	sqlExec(t, db, `CREATE TABLE public.store (x int); CREATE TABLE public.goose_db_version (version_id int); INSERT INTO public.goose_db_version VALUES (9999)`)
	createApplication(t, openURL(t, url, Options{}), "one")
	createApplication(t, openURL(t, url+"&search_path=Second", Options{}), "one")
	wantInt(t, db, `SELECT count(*) FROM applications`, 1)
	wantInt(t, db, `SELECT count(*) FROM "Second".applications`, 1)
	wantInt(t, db, `SELECT count(*) FROM public.store`, 0)
}

// What a store found when it was closed must be there when it is opened again,
// by a user who may do no more than own the schema.
func TestOwnerOfTheSchemaNeedsNoOtherRight(t *testing.T) {
	url := pgtest.Database(t)
	db := admin(t, url)
	sqlExec(t, db, `CREATE ROLE owner LOGIN PASSWORD '`+password+`'; CREATE SCHEMA config_service AUTHORIZATION owner`)
	for _, name := range []string{"one", "two"} {
		s, err := Open(t.Context(), tcp(t, url, "owner", ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		createApplication(t, s, name)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wantInt(t, db, `SELECT revision FROM store`, 2)
}

// Settings of the database must not weaken what is promised.
func TestSessionsKeepTheirPromisesWhateverTheDefaults(t *testing.T) {
	url := pgtest.Database(t)
	name := strings.TrimPrefix(strings.Split(url, "?")[0], strings.Split(url, "test")[0])
	db := admin(t, url)
	sqlExec(t, db, `ALTER DATABASE `+name+` SET synchronous_commit = off`)
	sqlExec(t, db, `ALTER DATABASE `+name+` SET default_transaction_isolation = serializable`)
	s := openURL(t, url, Options{Timeout: 7 * time.Second})
	conn := connection(t, s.writer)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "7s", "idle_in_transaction_session_timeout": "14s",
		"search_path": `"config_service"`, "application_name": "config-service",
	} {
		var got string
		if err := conn.QueryRowContext(t.Context(), `SELECT current_setting($1)`, setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", setting, got, err, want)
		}
	}
	tx, err := conn.BeginTx(t.Context(), &s.dialect.write)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var level string
	if err := tx.QueryRowContext(t.Context(), `SELECT current_setting('transaction_isolation')`).Scan(&level); err != nil || level != "read committed" {
		t.Errorf("writes are %q (%v), want read committed", level, err)
	}
}
