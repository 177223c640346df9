package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// How a listener goes about its connection.
const (
	listenerPatience = 30 * time.Second      // without a word, before it asks whether the server still lives
	firstBackOff     = 50 * time.Millisecond // after a lost connection
	maxBackOff       = 5 * time.Second       // while the server is away
)

// Listen calls changed whenever anybody, on whatever machine, may have
// committed a write, until ctx is over. Calls come one at a time, and one may
// stand for several commits. It reconnects by itself, and then calls changed
// too, since it may have missed something. It is a hint that comes early, not
// a promise: who must not miss a change looks at [conf.Stats] from time to time
// as well. On SQLite, which tells nobody, it only waits.
func (s *Store) Listen(ctx context.Context, changed func()) {
	if s.listen == nil {
		<-ctx.Done()
		return
	}
	s.listen(ctx, changed)
}

// listen is [Store.Listen]. The pauses between attempts grow, and are uneven
// so that many replicas do not come back at once.
func (p postgres) listen(ctx context.Context, changed func()) {
	backOff := firstBackOff
	for ctx.Err() == nil {
		connected := p.listenOnce(ctx, changed)
		if connected {
			backOff = firstBackOff
		}
		if !pause(ctx, backOff/2+rand.N(backOff)) {
			return
		}
		backOff = min(2*backOff, maxBackOff)
	}
}

// listenOnce listens until the connection is lost or ctx is over, and reports
// whether it had one.
func (p postgres) listenOnce(ctx context.Context, changed func()) (connected bool) {
	conn, err := pgx.ConnectConfig(ctx, p.config.Copy())
	if err != nil {
		return false
	}
	defer p.hangUp(conn)
	if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{p.schema}.Sanitize()); err != nil {
		return false
	}
	for {
		changed() // at first because of what was missed
		if err := awaitNotification(ctx, conn); err != nil {
			return true
		}
	}
}

// hangUp says good-bye without waiting long for a server that does not answer.
func (p postgres) hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn.Close(ctx)
}

// awaitNotification returns nil when there was a notification. A connection
// whose other end is gone stays silent for ever, so after a while of silence it
// asks.
func awaitNotification(ctx context.Context, conn *pgx.Conn) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, listenerPatience)
		_, err := conn.WaitForNotification(waiting)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err := ping(ctx, conn); err != nil {
			return err
		}
	}
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, conn.Config().ConnectTimeout)
	defer cancel()
	return conn.Ping(ctx)
}
