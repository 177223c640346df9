package instrument

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"
)

// maxThrottled bounds what Throttle remembers. Past it, kinds of records that
// it does not know yet share one place.
const maxThrottled = 100

// Throttle returns next for a source that repeats itself: of records that are
// alike it passes on at most one a period, which then carries how many were
// "suppressed" since the last. Records are alike when their levels, messages and
// attributes differ in nothing but numbers: an address keeps its meaning when
// the port changes.
func Throttle(next slog.Handler, period time.Duration) slog.Handler {
	return throttle{Handler: next, seen: &seen{period: period, kinds: map[string]*kind{}}}
}

type throttle struct {
	slog.Handler
	seen *seen
}

func (t throttle) Handle(ctx context.Context, r slog.Record) error {
	suppressed, pass := t.seen.admit(likeness(r), r.Time)
	if !pass {
		return nil
	}
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("suppressed", suppressed))
	}
	return t.Handler.Handle(ctx, r)
}

func (t throttle) WithAttrs(attrs []slog.Attr) slog.Handler {
	return throttle{Handler: t.Handler.WithAttrs(attrs), seen: t.seen}
}

func (t throttle) WithGroup(name string) slog.Handler {
	return throttle{Handler: t.Handler.WithGroup(name), seen: t.seen}
}

// seen remembers when a kind of record was last passed on.
type seen struct {
	period time.Duration
	mu     sync.Mutex
	kinds  map[string]*kind
}

type kind struct {
	passed     time.Time
	suppressed int
}

// admit tells whether a record of that likeness may pass at that time, and how
// many could not since the last that did.
func (s *seen) admit(likeness string, at time.Time) (suppressed int, pass bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.kinds[likeness]
	if !known && !s.room(at) {
		likeness = ""
		k, known = s.kinds[likeness]
	}
	if known && at.Sub(k.passed) < s.period {
		k.suppressed++
		return 0, false
	}
	if known {
		suppressed = k.suppressed
	}
	s.kinds[likeness] = &kind{passed: at}
	return suppressed, true
}

// room tells whether one more kind can be remembered, after forgetting those
// that the next of their like may pass anyway.
func (s *seen) room(at time.Time) bool {
	if len(s.kinds) >= maxThrottled {
		maps.DeleteFunc(s.kinds, func(_ string, k *kind) bool { return at.Sub(k.passed) >= s.period })
	}
	return len(s.kinds) < maxThrottled
}

// likeness is the record as text with each run of digits as one.
func likeness(r slog.Record) string {
	var b strings.Builder
	b.WriteString(r.Level.String() + r.Message)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(a.String())
		return true
	})
	wasDigit := false
	return strings.Map(func(c rune) rune {
		digit := unicode.IsDigit(c)
		defer func() { wasDigit = digit }()
		switch {
		case digit && wasDigit:
			return -1
		case digit:
			return '0'
		}
		return c
	}, b.String())
}
