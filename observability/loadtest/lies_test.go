//go:build live

package main

import (
	"math"
	"strings"
	"sync"
)

const durations = "http_server_request_duration_seconds"

// counting says whether a line counts requests of the API.
func counting(l line) bool {
	return (l.name == durations+"_count" || l.name == durations+"_bucket") && strings.HasPrefix(l.label("http_route"), "/api/")
}

// only applies a change to the lines that it is about.
func only(about func(line) bool, change func(line) []line) lie {
	return func(l line) []line {
		if about(l) {
			return change(l)
		}
		return []line{l}
	}
}

func named(name string) func(line) bool { return func(l line) bool { return l.name == name } }

func missOneInAThousand(l line) []line {
	l.value -= math.Floor(l.value / 1000)
	return []line{l}
}

func leakIDs(l line) []line {
	if l.label("http_route") == "/api/v1/config/{application}/{configuration}" {
		l = l.with("http_route", "/api/v1/config/shop/main")
	}
	return []line{l}
}

func overflow(l line) []line {
	if l.label("http_request_method") == "PATCH" {
		l.labels = `{otel_metric_overflow="true"` + le(l) + `}`
	}
	return []line{l}
}

func le(l line) string {
	if bound := l.label("le"); bound != "" {
		return `,le="` + bound + `"`
	}
	return ""
}

// inMilliseconds tells milliseconds under a name that says seconds.
func inMilliseconds(l line) []line {
	bounds := map[string]string{"0.0001": "0.1", "0.00016": "0.16", "0.00025": "0.25", "0.0004": "0.4", "0.00063": "0.63", "0.001": "1",
		"0.0016": "1.6", "0.0025": "2.5", "0.004": "4", "0.0063": "6.3", "0.01": "10", "0.016": "16", "0.025": "25", "0.04": "40", "0.063": "63",
		"0.1": "100", "0.25": "250", "1.0": "1000", "1": "1000", "2.5": "2500", "10.0": "10000", "10": "10000"}
	if b, ok := bounds[l.label("le")]; ok {
		return []line{l.with("le", b)}
	}
	return []line{l}
}

// coarse leaves three buckets, and the count.
func coarse(l line) []line {
	switch l.label("le") {
	case "", "0.1", "1.0", "1", "+Inf":
		return []line{l}
	}
	return nil
}

func loseFromTheLastBucket(l line) []line {
	if l.label("le") == "+Inf" && l.value > 0 {
		l.value--
	}
	return []line{l}
}

func halfMore(l line) []line {
	l.value *= 1.5
	return []line{l}
}

// forgeTraces changes the first digit of each trace id.
func forgeTraces(l line) []line {
	const key = `trace_id="`
	if i := strings.Index(l.rest, key); i >= 0 {
		digit := l.rest[i+len(key)]
		forged := byte('1')
		if digit == '1' {
			forged = '2'
		}
		l.rest = l.rest[:i+len(key)] + string(forged) + l.rest[i+len(key)+1:]
	}
	return []line{l}
}

// frozen tells the first value that it sees for ever.
func frozen() func(line) []line {
	var once sync.Once
	var first float64
	return func(l line) []line {
		once.Do(func() { first = l.value })
		l.value = first
		return []line{l}
	}
}

// restarted takes off each counter what it had when it was first seen.
func restarted() func(line) []line {
	var mu sync.Mutex
	had := map[string]float64{}
	return func(l line) []line {
		mu.Lock()
		defer mu.Unlock()
		key := l.name + l.labels
		if _, known := had[key]; !known {
			had[key] = l.value
		}
		l.value -= had[key]
		return []line{l}
	}
}
