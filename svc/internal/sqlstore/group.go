package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
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
	recent   recent // of whoever has the turn
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
	open := func() (*unit, error) { return openUnit(ctx, conn, &g.dialect.write, &g.recent) }
	u, err := open()
	if err != nil {
		g.giveUp(m, err)
		return
	}
	u.late = lately(ctx)
	b := &batch{unit: u, open: open}
	for more := true; more && len(b.members) < maxCompany; {
		m := g.next()
		if m == nil { // whoever is about to join may do so: this takes no time when nobody runs
			runtime.Gosched()
			m = g.next()
		}
		more = m != nil && b.add(m)
	}
	b.end(g.onCommit)
}

// A batch is the writes of one unit.
type batch struct {
	*unit
	open    func() (*unit, error)
	members []*member // the begun
	kept    int       // of them
	made    []conf.Transaction
	careful bool    // one has failed that had changed something, and others may
	broken  *member // which took the unit with it
	err     error   // of all the others
}

// add makes a write part of the unit, or notes what it is refused for, and
// reports whether there is room for more. Most that are refused have changed
// nothing by then, so at first nothing is done that would let one be undone alone.
func (b *batch) add(m *member) (more bool) {
	b.members = append(b.members, m)
	if b.careful {
		return b.isolate(m)
	}
	if m.err = m.ctx.Err(); m.err != nil {
		return true
	}
	switch touched := b.perform(m); {
	case !touched:
		return true
	case b.kept == 0: // to undo all is to undo it
		return false
	}
	return b.again()
}

// perform makes a write, and reports whether its failure leaves something to
// undo.
func (b *batch) perform(m *member) (touched bool) {
	var tx *transaction
	if tx, m.err = b.unit.perform(m.ctx, m.run); m.err != nil {
		return tx.touched
	}
	b.kept++
	if len(tx.changes) > 0 {
		b.made = append(b.made, conf.Transaction{Revision: tx.revision, Changes: tx.changes})
	}
	return false
}

// again undoes all and makes it anew, each write such that it can be undone
// alone.
func (b *batch) again() (more bool) {
	_ = b.Rollback() // if that fails, so does what follows
	u, err := b.open()
	if err != nil {
		b.err = err
		return false
	}
	b.unit, b.kept, b.made, b.careful, b.err = u, 0, nil, true, nil
	for _, m := range b.members {
		if !b.isolate(m) {
			return false
		}
	}
	return true
}

// isolate makes a write such that its failure leaves the others as they are,
// and reports whether it did.
func (b *batch) isolate(m *member) (whole bool) {
	if m.err = m.ctx.Err(); m.err != nil {
		return true
	}
	if _, m.err = b.ExecContext(b.ctx, `SAVEPOINT member`); m.err == nil {
		if b.perform(m); m.err == nil {
			return true
		}
		// An engine's trouble, rather than a refusal, can end the unit.
		b.recent.forget()
		_, err := b.ExecContext(b.ctx, `ROLLBACK TO SAVEPOINT member`)
		if err == nil {
			return true
		}
		m.err = errors.Join(m.err, err)
	}
	b.broken, b.err = m, errCompany
	return false
}

// settle settles the unit, or else another: of what was sent late and failed
// nobody knows whose it was.
func (b *batch) settle() {
	if b.err != nil || b.kept == 0 {
		return
	}
	b.err = b.unit.settle()
	if b.err != nil && !b.careful && !passes(b.err) && b.again() && b.kept > 0 {
		b.err = b.unit.settle()
	}
}

// end commits, unless there is nothing to keep, and tells everybody, onCommit
// before those who wait for it.
func (b *batch) end(onCommit func([]conf.Transaction)) {
	b.settle()
	if b.err == nil && b.kept > 0 {
		if b.err = b.commit(); b.err == nil {
			onCommit(b.made)
		}
	}
	_ = b.Rollback() // does nothing after a commit
	for _, m := range b.members {
		if b.err != nil && m != b.broken {
			m.err = b.err
		}
		m.end(m.err)
	}
}

// panicked is what a write has panicked with, and where.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }
