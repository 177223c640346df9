package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// What is sent late fails late. Only the write that it belongs to may hear of
// that, wherever in the company it is.
func TestStatementThatFailsLateFailsItsOwnWrite(t *testing.T) {
	for place := range 3 {
		url := pgtest.Database(t)
		c := &company{Store: openURL(t, url, Options{}), db: admin(t, url)}
		trigger(t, c.db, `TRIGGER poison BEFORE INSERT ON changes`, `IF NEW.name = 'poison' THEN RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'; END IF;`)
		names, codes := []string{"a", "b", "c"}, make([]conf.Code, 3)
		names[place], codes[place] = "poison", conf.Internal
		for _, name := range names {
			c.create(t.Context(), name)
		}
		wantCodes(t, c.meet(t), codes...)
		if st, err := c.Stats(t.Context()); err != nil || st != (conf.Stats{Revision: 2, Applications: 2}) {
			t.Errorf("totals %+v (%v)", st, err)
		}
	}
}

// Whoever has the connection next must not carry out what was rolled back.
func TestStatementsThatWaitedGoWithTheirTransaction(t *testing.T) {
	s := openURL(t, pgtest.Database(t), Options{MaxConnections: 1})
	a := createApplication(t, s, "shop")
	err := s.transact(t.Context(), func(tx *transaction) error {
		if err := tx.exec(`UPDATE applications SET name = 'ghost'`); err != nil {
			return err
		}
		return conf.Errorf(conf.PreconditionFailed, "no")
	})
	wantCodes(t, []error{err}, conf.PreconditionFailed)
	for range 2 {
		if got, err := s.Application(t.Context(), a.ID); err != nil || got.Name != "shop" {
			t.Errorf("its name is %q (%v)", got.Name, err)
		}
	}
}

// A query that fails before it has columns, as when the connection dies just
// then, must not take the writers with it.
func TestQueryThatFailsBehindStatementsThatWaited(t *testing.T) {
	s := openURL(t, pgtest.Database(t), Options{})
	err := s.transact(t.Context(), func(tx *transaction) error {
		if err := tx.exec(`UPDATE store SET pruned = 7`); err != nil {
			return err
		}
		var text string
		return tx.row(`SELECT $1::text`, "\x00").Scan(&text) // no text has that
	})
	wantCodes(t, []error{err}, conf.NotFound)
	createApplication(t, s, "shop")
}

// A commit without some of its statements would acknowledge what is lost.
func TestCommitBeforeAllIsSentIsRefused(t *testing.T) {
	s := openURL(t, pgtest.Database(t), Options{})
	err := s.writer.with(t.Context(), func(ctx context.Context, c *sql.Conn) error {
		u, err := openUnit(ctx, c, nil, &recent{})
		if err != nil {
			return err
		}
		u.late = lately(ctx)
		tx := &transaction{unit: u, caller: ctx}
		return errors.Join(tx.exec(`UPDATE store SET pruned = 7`), u.commit())
	})
	if !errors.Is(err, errUnsent) {
		t.Errorf("error %v", err)
	}
	createApplication(t, s, "shop") // the connection is fit for use
}

// Round trips, one after the other, are what writes on PostgreSQL wait for.
func TestUpdateInCompanyTakesMoreThanOneRoundTrip(t *testing.T) {
	const updates = 20
	p, err := parsePostgres(pgtest.Database(t))
	must(t, err)
	must(t, p.prepare(t.Context()))
	var sent atomic.Int64
	p.config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return countingConn{conn, &sent}, err
	}
	o := Options{MaxConnections: 1}
	o.setDefaults()
	reader, writer := p.pools(o)
	c := &company{Store: newStore(postgresDialect(), reader, writer, p.listen, nil)}
	defer c.Close()
	a := createApplication(t, c.Store, "shop")
	one, err := c.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{}`)})
	must(t, err)
	update := func(config string) {
		c.calls = append(c.calls, func() error {
			_, err := c.UpdateConfiguration(t.Context(), one.ID, func(c *conf.Configuration) error { c.Config = []byte(config); return nil })
			return err
		})
	}
	for _, n := range []int{2, updates} { // the first have the statements prepared
		sent.Store(0)
		for i := range n {
			update(fmt.Sprintf(`{"v":%d}`, i))
		}
		wantCodes(t, c.meet(t), make([]conf.Code, n)...)
	}
	const around = 4 // begin, lock, settle, commit
	if n := sent.Load(); n > updates+around {
		t.Errorf("%d updates were sent in %d pieces", updates, n)
	}
	page, err := c.Versions(t.Context(), one.ID, conf.Window{Limit: 1})
	if diff := cmp.Diff(fmt.Sprintf(`{"v":%d}`, updates-1), string(page.Items[0].Config)); err != nil || diff != "" || page.Total != updates+3 {
		t.Errorf("%d versions (%v), the last differs (-want +got)\n%s", page.Total, err, diff)
	}
}

// countingConn counts what is sent.
type countingConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c countingConn) Write(b []byte) (int, error) {
	c.sent.Add(1)
	return c.Conn.Write(b)
}
