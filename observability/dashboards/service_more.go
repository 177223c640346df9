package main

// onSQLite is why PostgreSQL has no such panel: its disk is its own to watch.
const onSQLite = "needs a store on SQLite"

func serviceProcess() []panel {
	const process = `{job="config-service", via="direct", instance=~"$instance"}`
	return []panel{
		{kind: timeseries, title: "CPU", unit: "none", width: 8,
			about: "Cores that the process uses, by mode, and how many Go may use. Near the most: add an instance, or look where the time goes.",
			queries: []query{
				{"{{cpu_mode}} {{instance}}", `sum by (instance, cpu_mode) (rate(process_cpu_time_seconds_total` + process + `[$__rate_interval]))`},
				{"most {{instance}}", `sum by (instance) (go_processor_limit` + process + `)`},
			}},
		{kind: timeseries, title: "Memory", unit: "bytes", width: 8,
			about: "Resident memory of the process, what Go holds of it, and the size at which it collects next. Steady growth without growth of load or data is a leak: take a heap profile.",
			queries: []query{
				{"resident {{instance}}", `sum by (instance) (process_memory_usage_bytes` + process + `)`},
				{"Go, {{go_memory_type}} {{instance}}", `sum by (instance, go_memory_type) (go_memory_used_bytes` + process + `)`},
				{"next collection at {{instance}}", `sum by (instance) (go_memory_gc_goal_bytes` + process + `)`},
			},
			runbooks: []string{"MemoryNearLimit"}},
		{kind: timeseries, title: "Garbage collection", unit: "ops", width: 8,
			about:   "Collections a second, taken as memory allocated by the size at which Go collects. Above ten a second collection costs noticeable CPU: raise GOGC or GOMEMLIMIT, or find who allocates.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(go_memory_allocated_bytes_total` + process + `[$__rate_interval])) / sum by (instance) (go_memory_gc_goal_bytes` + process + `)`}},
			levels:  worseFrom(10, 50)},
		{kind: timeseries, title: "Allocations", unit: "Bps", width: 8,
			about:   "Memory allocated a second. It follows the load; when it does not, the payloads have grown.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(go_memory_allocated_bytes_total` + process + `[$__rate_interval]))`}}},
		{kind: timeseries, title: "Goroutines", unit: "none", width: 8,
			about:   "Goroutines; about one for each request in flight and each watcher. Growth without either is a leak.",
			queries: []query{{"{{instance}}", `sum by (instance) (go_goroutine_count` + process + `)`}}},
		{kind: timeseries, title: "File descriptors", unit: "none", width: 8,
			about:   "Open files and sockets; about one for each client and connection. Near `ulimit -n` nobody can connect: raise it, or find who does not close.",
			queries: []query{{"{{instance}}", `sum by (instance) (process_unix_file_descriptor_count` + process + `)`}}},
		{kind: timeseries, title: "Disk of the store", unit: "bytes", width: 12, noValue: onSQLite,
			about: "Room on the file system of the SQLite file, and its size. When it runs out, every write fails: see the runbook.",
			queries: []query{
				{"available {{instance}}", `config_store_disk_available_bytes` + process},
				{"capacity {{instance}}", `config_store_disk_capacity_bytes` + process},
			},
			runbooks: []string{"StoreDiskFilling"}},
		{kind: timeseries, title: "Disk of the store, left", unit: "percentunit", width: 12, min: number(0), max: number(1), noValue: onSQLite,
			about:    "Share of that file system that is left. Under 10 % an alert fires: make room, or move the store.",
			queries:  []query{{"{{instance}}", `instance:config_store_disk_available:ratio{instance=~"$instance"}`}},
			levels:   betterFrom(0.1, 0.2),
			runbooks: []string{"StoreDiskFilling"}},
	}
}

func serviceBusiness() []panel {
	const one = `{via="direct", instance=~"$instance"}`
	return []panel{
		{kind: stat, title: "Applications", unit: "none", width: 4,
			about:   "Applications in the store. A sudden drop: the audit tells who deleted them; history brings configurations back.",
			queries: []query{{"applications", `max(config_applications` + one + `)`}}, levels: plain()},
		{kind: stat, title: "Configurations", unit: "none", width: 4,
			about:   "Configurations in the store. A sudden drop: the audit tells who deleted them.",
			queries: []query{{"configurations", `max(config_configurations` + one + `)`}}, levels: plain()},
		{kind: stat, title: "Revision", unit: "none", width: 4,
			about:   "Newest revision of the store: how often it was ever changed. It never goes back; if it did, somebody restored a backup.",
			queries: []query{{"revision", `max(config_store_revision` + one + `)`}}, levels: plain()},
		{kind: stat, title: "Changes", unit: "cpm", width: 4,
			about:   "Changes of the store a minute, from its revision. Zero while writes come means that they fail.",
			queries: []query{{"changes", `60 * max(deriv(config_store_revision` + one + `[1m]))`}}, levels: plain()},
		{kind: stat, title: "Payload, p50", unit: "bytes", width: 4,
			about:   "Half of the configurations written in the last 5 min were smaller.",
			queries: []query{{"p50", `histogram_quantile(0.5, sum by (le) (rate(config_payload_size_bytes_bucket` + one + `[5m]))) >= 0`}},
			levels:  plain(), noValue: "nothing was written"},
		{kind: stat, title: "Payload, p99", unit: "bytes", width: 4,
			about:   "99 % of the configurations written in the last 5 min were smaller. Bodies are refused from 1 MiB on, unless --max-body says otherwise.",
			queries: []query{{"p99", `histogram_quantile(0.99, sum by (le) (rate(config_payload_size_bytes_bucket` + one + `[5m]))) >= 0`}},
			levels:  worseFrom(256<<10, 1<<20), noValue: "nothing was written"},
		{kind: timeseries, title: "Writes", unit: "ops", width: 8,
			about:   "Writes a second by operation and outcome. conflict: callers race, they should read again; invalid: they send what the API refuses; error: ours, see the database.",
			queries: []query{{"{{operation}} {{outcome}}", `sum by (operation, outcome) (rate(config_writes_total` + one + `[$__rate_interval]))`}}},
		{kind: timeseries, title: "Reads", unit: "ops", width: 8, stacked: true,
			about:   "Reads of one configuration a second, by who answered and how. Many not_found: somebody asks for a name that is not there.",
			queries: []query{{"{{source}} {{outcome}}", `sum by (source, outcome) (rate(config_reads_total` + one + `[$__rate_interval]))`}}},
		{kind: timeseries, title: "Cache hit ratio", unit: "percentunit", width: 8, min: number(0), max: number(1),
			about:   "Share of the reads of one configuration that were answered from memory. When it falls without a restart: more is read than fits, raise --cache-bytes.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(config_reads_total{source="cache", via="direct", instance=~"$instance"}[1m])) / (sum by (instance) (rate(config_reads_total` + one + `[1m])) > 0)`}}},
	}
}

func serviceWatch() []panel {
	const one = `{via="direct", instance=~"$instance"}`
	return []panel{
		{kind: timeseries, title: "Watchers", unit: "none", width: 8, stacked: true,
			about:   "Clients that watch (sse) or wait (long_poll). A sudden fall: they were cut off or cannot come back; see Drops, and the limit --max-watchers.",
			queries: []query{{"{{transport}} {{instance}}", `sum by (transport, instance) (config_watch_watchers` + one + `)`}}},
		{kind: timeseries, title: "Events delivered", unit: "ops", width: 8,
			about:   "Events a second that were written to watchers: changes times watchers.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(config_watch_events_total{outcome="delivered", via="direct", instance=~"$instance"}[$__rate_interval]))`}}},
		{kind: timeseries, title: "Drops and resyncs", unit: "ops", width: 8,
			about:   "Watchers a second that were cut off as too slow (dropped), or told to read everything anew since their history is gone (resync). Not zero: see the runbook.",
			queries: []query{{"{{outcome}}", `sum by (outcome) (rate(config_watch_events_total{outcome!="delivered", via="direct", instance=~"$instance"}[$__rate_interval]))`}},
			levels:  wantZero(), runbooks: []string{"WatchersCutOff"}},
		{kind: timeseries, title: "Propagation", unit: "s", width: 8, noValue: "no change was watched",
			about: "Time from commit to the watcher's connection, of the last 5 min. When it climbs: too many watchers for the machine, or a feed that waits for the database.",
			queries: []query{
				{"p50", `job:config_propagation_duration_seconds:p50_rate5m{job="config-service"}`},
				{"p99", `job:config_propagation_duration_seconds:p99_rate5m{job="config-service"}`},
			},
			levels: worseFrom(0.5, 1), runbooks: []string{"PropagationSlow"}},
		{kind: heatmap, title: "Propagation, distribution", unit: "s", width: 8, noValue: "no change was watched",
			about:   "How many events a second took how long from commit to the watcher's connection. A second band far above the first is watchers on slow connections.",
			queries: []query{{"{{le}}", `job_le:config_propagation_duration_seconds_bucket:rate5m{job="config-service"}`}}},
		{kind: timeseries, title: "Staleness of replicas", unit: "s", width: 8,
			about:    "Time since an instance last knew that it had every change of the store. Above a few seconds it may answer from the past: see the runbook.",
			queries:  []query{{"{{instance}}", `config_replica_staleness_seconds` + one}},
			levels:   worseFrom(5, 10),
			runbooks: []string{"ReplicaStale"}},
	}
}
