package instrument

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func lines(t *testing.T, buf *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(buf.String()) {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err, line)
		}
		all = append(all, m)
	}
	return all
}

func TestLogHandlersBreakTheRulesOfSlog(t *testing.T) {
	for name, wrap := range map[string]func(slog.Handler) slog.Handler{
		"trace ids": LogHandler,
		"level":     func(h slog.Handler) slog.Handler { return LogLevel(h, slog.LevelInfo) },
		"throttle":  func(h slog.Handler) slog.Handler { return Throttle(h, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			var buf *bytes.Buffer
			slogtest.Run(t, func(*testing.T) slog.Handler {
				buf = &bytes.Buffer{}
				return wrap(slog.NewJSONHandler(buf, nil))
			}, func(t *testing.T) map[string]any { return lines(t, buf)[0] })
		})
	}
}

func TestLogLineOfARequestLacksItsTrace(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	ids := map[string]any{"trace_id": fmt.Sprintf("%032x", 0xabc), "span_id": fmt.Sprintf("%016x", 0xdef)}
	for name, c := range map[string]struct {
		ctx  context.Context
		log  func(*slog.Logger) *slog.Logger
		want map[string]any
	}{
		"sampled":   {r.manualTrace(true), func(l *slog.Logger) *slog.Logger { return l }, map[string]any{"k": "v"}},
		"unsampled": {r.manualTrace(false), func(l *slog.Logger) *slog.Logger { return l }, map[string]any{"k": "v"}},
		"no trace":  {t.Context(), func(l *slog.Logger) *slog.Logger { return l }, map[string]any{"k": "v"}},
		"in a group": {r.manualTrace(true), func(l *slog.Logger) *slog.Logger { return l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h") },
			map[string]any{"a": 1., "g": map[string]any{"b": 2., "h": map[string]any{"k": "v"}}}},
		"beside a group": {r.manualTrace(true), func(l *slog.Logger) *slog.Logger {
			g := l.WithGroup("g")
			_ = g.With("b", 2)
			return g.With("c", 3)
		}, map[string]any{"g": map[string]any{"c": 3., "k": "v"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			c.log(slog.New(LogHandler(slog.NewJSONHandler(&buf, nil)))).InfoContext(c.ctx, "m", "k", "v")
			got := lines(t, &buf)[0]
			delete(got, "time")
			delete(got, "level")
			delete(got, "msg")
			if name != "no trace" {
				c.want["trace_id"], c.want["span_id"] = ids["trace_id"], ids["span_id"]
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTraceIDOfNoTraceIsZeros(t *testing.T) {
	r := newRig(t, sdktrace.NeverSample())
	if id := TraceID(t.Context()); id != "" {
		t.Errorf("%q", id)
	}
	if id := TraceID(r.manualTrace(false)); id != fmt.Sprintf("%032x", 0xabc) {
		t.Errorf("%q", id)
	}
}

func TestRepeatedTroubleFloodsTheLog(t *testing.T) {
	var buf bytes.Buffer
	h := Throttle(slog.NewJSONHandler(&buf, nil), time.Minute)
	say := func(at time.Duration, msg, detail string) {
		r := slog.NewRecord(time.Unix(0, 0).Add(at), slog.LevelError, msg, 0)
		r.AddAttrs(slog.String("error", detail))
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		say(time.Duration(i)*time.Millisecond, "export", fmt.Sprintf("dial 127.0.0.1:%d: refused", 1000+i))
		say(time.Duration(i)*time.Millisecond, "export", "rejected")
	}
	say(time.Minute, "export", "dial 127.0.0.1:9: refused")
	var got []string
	for _, l := range lines(t, &buf) {
		got = append(got, fmt.Sprint(l["error"], " ", l["suppressed"]))
	}
	want := []string{"dial 127.0.0.1:1000: refused <nil>", "rejected <nil>", "dial 127.0.0.1:9: refused 999"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEndlesslyManyKindsOfTroubleFillMemoryOrTheLog(t *testing.T) {
	var buf bytes.Buffer
	h := Throttle(slog.NewJSONHandler(&buf, nil), time.Minute).(throttle)
	kind := strings.Repeat
	for minute := range 3 {
		for i := range 1000 {
			r := slog.NewRecord(time.Unix(int64(61*minute), 0), slog.LevelError, kind("x", i), 0)
			_ = h.Handle(t.Context(), r)
		}
	}
	if n := len(h.seen.kinds); n > maxThrottled+1 {
		t.Errorf("%d kinds are remembered", n)
	}
	if n := len(lines(t, &buf)); n > 3*(maxThrottled+1) || n < 3*maxThrottled {
		t.Errorf("%d lines in three minutes", n)
	}
}

func TestTraceOfALineAllocatesMoreThanItsText(t *testing.T) {
	ctx, h := newRig(t, sdktrace.NeverSample()).manualTrace(true), LogHandler(slog.DiscardHandler)
	r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "change", 0)
	r.AddAttrs(slog.String("operation", "update"), slog.Int("revision", 17))
	if n := testing.AllocsPerRun(1000, func() { _ = h.Handle(ctx, r) }); n > 1 {
		t.Errorf("%v times", n)
	}
}
