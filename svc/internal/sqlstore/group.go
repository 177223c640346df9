package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"configservice/svc/internal/conf"
)

// A group lets writes that wait for each other share a commit, and so the flush
// to the disk that makes it durable. Nobody waits for company: a write that
// finds no other under way begins at once, and takes along those that have come
// by the time it is to commit.
//
// Each write of a commit sees what those before it have changed, and has a
// revision of its own. None is answered before the commit is durable, and a
// refusal neither, since it may be owed to one of the others.
type group struct {
	pool     *pool
	dialect  dialect
	onCommit func([]conf.Transaction)
	mu       sync.Mutex
	waiting  []*member
}

// A member is a write that waits for its turn or is being made.
type member struct {
	ctx   context.Context // for as long as it waits for its turn
	run   func(*transaction) error
	asked time.Time
	err   error // once done is closed, or when it was refused
	done  chan struct{}

	made conf.Transaction // unless it was refused
}

// errCompany ends a write that lost its transaction to the failure of another.
var errCompany = errors.New("another write broke the transaction that it shared")

// do carries out a write, and once more when that ends in a conflict or the
// connection is lost. It waits for its turn no longer than ctx, or the pool's
// timeout, allows. Once begun it is not given up half-way for the sake of ctx,
// since others share its transaction: it is refused before its next change.
func (g *group) do(ctx context.Context, run func(*transaction) error) error {
	return g.pool.retry(ctx, func(ctx context.Context) error {
		for {
			m := &member{ctx: ctx, run: run, asked: time.Now(), done: make(chan struct{})}
			if err := g.ride(m); err != errCompany {
				return err
			}
		}
	})
}

// ride waits until the write is made, by its own doing when it has the turn.
func (g *group) ride(m *member) error {
	g.join(m)
	for {
		select {
		case <-m.done:
			return m.result()
		case g.pool.turns <- struct{}{}:
			g.lead(m)
		case <-m.ctx.Done():
			g.giveUp(m, m.ctx.Err())
			<-m.done // at once, unless it has been begun
			return m.result()
		}
	}
}

func (m *member) result() error {
	if p, ok := m.err.(*panicked); ok {
		panic(p) // in the goroutine that it belongs to
	}
	return m.err
}

func (g *group) join(m *member) {
	g.pool.observer.Waiting(g.pool.name, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, m)
}

// next returns the write that has waited longest, nil when none does.
func (g *group) next() *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		return nil
	}
	m := g.waiting[0]
	g.waiting = slices.Delete(g.waiting, 0, 1)
	g.waited(m, false)
	return m
}

// giveUp ends a write in err if it has not been begun.
func (g *group) giveUp(m *member, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, m); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.waited(m, m.ctx.Err() != nil)
		m.end(err)
	}
}

func (g *group) waited(m *member, timedOut bool) {
	g.pool.observer.Waiting(g.pool.name, -1)
	g.pool.observer.Acquired(g.pool.name, time.Since(m.asked), timedOut)
}

func (m *member) end(err error) {
	m.err = err
	close(m.done)
}

// lead makes one commit of the writes that wait. Its caller, for which m waits,
// has the turn, and loses it.
func (g *group) lead(m *member) {
	defer g.pool.leave()
	select {
	case <-m.done: // by another, just before
		return
	default:
	}
	conn, err := g.pool.db.Conn(m.ctx)
	if err != nil {
		g.giveUp(m, err)
		return
	}
	got := time.Now()
	defer func() {
		_ = conn.Close() // what has been committed stays so
		g.pool.observer.Released(g.pool.name, time.Since(got))
	}()
	g.commit(m, conn)
}

func (g *group) commit(m *member, conn *sql.Conn) {
	ctx, cancel := g.dialect.bound(g.pool.timeout)
	defer cancel()
	tx, err := conn.BeginTx(ctx, &g.dialect.write)
	if err != nil {
		g.giveUp(m, err)
		return
	}
	defer tx.Rollback() // does nothing after Commit
	b := batch{tx: tx, ctx: ctx}
	for more := true; more && len(b.members) < maxCompany; {
		m := g.next()
		more = m != nil && b.add(m)
	}
	b.end(g.onCommit)
}

// A batch is the writes of one transaction.
type batch struct {
	tx      *sql.Tx
	ctx     context.Context // of every statement: no single write's
	members []*member       // the begun
	kept    int             // of them
	saved   bool            // there is a savepoint
	broken  *member         // which took the transaction with it
}

// add makes a write part of the transaction, or notes what it is refused for,
// and reports whether there is room for more.
func (b *batch) add(m *member) (more bool) {
	b.members = append(b.members, m)
	if m.err = m.ctx.Err(); m.err != nil {
		return true
	}
	if b.kept == 0 { // alone, a failure can be undone by undoing all
		m.err = b.perform(m)
		if m.err == nil {
			b.kept++
		}
		return m.err == nil
	}
	if m.err = b.isolated(m); m.err == nil {
		b.kept++
	}
	return b.broken == nil
}

// isolated makes a write such that its failure leaves the others as they are.
func (b *batch) isolated(m *member) error {
	begin := `SAVEPOINT member`
	if b.saved {
		begin = `RELEASE SAVEPOINT member; SAVEPOINT member` // one round trip
	}
	b.saved = true
	if _, err := b.tx.ExecContext(b.ctx, begin); err != nil {
		b.broken = m
		return err
	}
	err := b.perform(m)
	if err == nil {
		return nil
	}
	// An engine's trouble, rather than a refusal, can end the transaction.
	if _, failed := b.tx.ExecContext(b.ctx, `ROLLBACK TO SAVEPOINT member`); failed != nil {
		b.broken = m
		return errors.Join(err, failed)
	}
	return err
}

func (b *batch) perform(m *member) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	tx := &transaction{Tx: b.tx, ctx: b.ctx, caller: m.ctx}
	if err = m.run(tx); err == nil {
		m.made = conf.Transaction{Revision: tx.revision, Changes: tx.changes}
	}
	return err
}

// end commits and tells everybody, onCommit before those who wait for it.
func (b *batch) end(onCommit func([]conf.Transaction)) {
	var err error
	switch {
	case b.broken != nil:
		err = errCompany
	case b.kept > 0:
		if err = b.tx.Commit(); err == nil {
			onCommit(b.made())
		} else {
			err = commitFailed(err)
		}
	}
	for _, m := range b.members {
		if err != nil && m != b.broken {
			m.err = err
		}
		m.end(m.err)
	}
}

// made returns what changed something, in order.
func (b *batch) made() (txs []conf.Transaction) {
	for _, m := range b.members {
		if len(m.made.Changes) > 0 {
			txs = append(txs, m.made)
		}
	}
	return txs
}

// panicked is what a write has panicked with, and where.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }
