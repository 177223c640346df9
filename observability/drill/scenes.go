package main

import (
	"context"
	"time"
)

// A scene is one trouble and the alerts that tell of it.
type scene struct {
	trouble string
	alerts  []expectation
	// provoke starts the trouble and returns what ends it. An error that is errNotHere says why it
	// cannot be provoked on this machine.
	provoke func(ctx context.Context, s *site) (end func() error, err error)
}

// An expectation is that an alert fires. Its model is what the rule itself waits ("for"), a scrape,
// an evaluation, and besides them what stands here.
type expectation struct {
	alert   string
	besides time.Duration
	why     string // of besides
}

// scrapeTimeout is what a target that hangs costs before it counts as down.
const scrapeTimeout = 4 * time.Second

// scenes in an order in which one hardly disturbs another: what takes minutes to clear comes early,
// and clears while others go on. Two minutes after writes that succeed nothing of them is left in the
// share of calls that fail, and one after the service stood still both paths can be compared again.
func scenes() []scene {
	const hangs = "a scrape that hangs"
	return []scene{
		{"more watchers than there may be", []expectation{
			{alert: "RequestsRejected"},
		}, tooManyWatchers},
		{"writes wait for up to 300 ms", []expectation{
			{"LatencyBurnsFast", 45 * time.Second, "two samples in windows that are evaluated every 15 s, and 10 slow requests"},
		}, slowWrites},
		{"the service stands still", []expectation{
			{"ServiceDown", scrapeTimeout, hangs},
		}, freeze("config-service")},
		{"cAdvisor stands still", []expectation{
			{"CadvisorDown", scrapeTimeout, hangs},
		}, freeze("cadvisor")},
		{"targets at which nobody listens", []expectation{
			{alert: "PrometheusDown"},
			{alert: "TargetDown"},
		}, deadTargets},
		{"nothing can be written to the store", []expectation{
			{"PoolTimeouts", 10 * time.Second, "a caller gives up after 5 s, and the next scrape"},
			{"DatabaseErrors", 15 * time.Second, "calls fail after 5 s; two samples of them"},
			{"AvailabilityBurnsFast", 45 * time.Second, "calls fail after 5 s; windows that are evaluated every 15 s, and 10 failures"},
			{"PoolExhausted", 60 * time.Second, "the minute in which there always was a queue"},
		}, nothingIsWritten},
		{"the store neither reads nor writes", []expectation{
			{"DatabaseUnreachable", 7 * time.Second, "the service waits 1 s for its totals, and the last counts for a scrape longer"},
			{"ReplicaStale", 15 * time.Second, "10 s without news are allowed, and a poll"},
		}, storeStandsStill},
		{"a watcher that reads nothing", []expectation{
			{"WatchersCutOff", 30 * time.Second, "the 16 MiB of events that are kept must be written first"},
		}, deafWatcher},
		{"a watcher that reads in fits", []expectation{
			{"PropagationSlow", 15 * time.Second, "a slow event must have been delivered, and a second sample"},
		}, fitfulWatcher},
		{"the Collector stands still", []expectation{
			{"CollectorDown", scrapeTimeout, hangs},
			{"CollectorExporterDown", scrapeTimeout, hangs},
			{"CollectorPathLags", scrapeTimeout, hangs},
			{"SDKTrouble", 75 * time.Second, "an export is given up after its retries of up to a minute"},
		}, freeze("otel-collector")},
		{"a program may hardly use more memory than it does", []expectation{
			{"MemoryNearLimit", 15 * time.Second, "cAdvisor reads limits every 10 s"},
		}, tightMemory},
		{"the disk of the store is almost full", []expectation{
			{alert: "StoreDiskFilling"},
		}, tightDisk},
		{"more telemetry than the Collector has memory for", []expectation{
			{alert: "CollectorRefuses"},
		}, floodOfTelemetry},
		{"another process sends its telemetry under the instance of the service", []expectation{
			{"PathsDiffer", 70 * time.Second, "it is about a minute ago, and an export and a batch before it"},
		}, impostor},
	}
}

// notDrilled are the other alerts, and why. All of them are tested with made-up series, by promtool.
func notDrilled() map[string]string {
	return map[string]string{
		"Watchdog":                "always fires; every drill begins with seeing it",
		"CPUThrottled":            "fires after 15 min",
		"AvailabilityBurnsSlowly": "fires after 15 min, about windows of days",
		"LatencyBurnsSlowly":      "fires after 15 min, about windows of days",
		"ContainersStale":         "nothing makes cAdvisor hang on one container while it answers",
		"CollectorDrops":          "neither of the Collector's exporters can fail or has a queue",
		"SeriesOverflow":          "no label of the service can take 2000 values, and its own tests hold that",
	}
}
