package main

import "configservice/observability/internal/dashboard"

// pipeline is about the telemetry itself, hop by hop.
func pipeline() dashboard.Dashboard {
	return board{
		uid:   "telemetry-pipeline",
		title: "Telemetry pipeline",
		about: "Whether what the other dashboards show is true: throughput, refusals and drops of each hop, target health, freshness, and the difference between the two paths.",
		annotations: []dashboard.Annotation{
			loadTests(),
			restarts("{{job}} was started", `changes(process_start_time_seconds{via="direct"}[1m]) > 0 or resets(otelcol_process_uptime_seconds_total[1m]) > 0 or resets(process_uptime_seconds{via="direct"}[1m]) > 0`),
		},
		rows: []row{
			{"Is it well?", pipelineWell()},
			{"Two paths, one truth", pipelinePaths()},
			{"Service → Collector", pipelineReceived()},
			{"In the Collector", pipelineCollector()},
			{"Scrapes", pipelineScrapes()},
			{"Prometheus", pipelinePrometheus()},
		},
	}.dashboard()
}

func pipelineWell() []panel {
	return []panel{
		{kind: stat, title: "Targets up", unit: "percentunit", width: 4,
			about:   "Share of the targets that Prometheus can read. When below 100 %: Scrapes lists which; each has a runbook.",
			queries: []query{{"targets", `avg(up)`}},
			levels:  betterFrom(0.9, 1), runbooks: []string{"TargetDown", "ServiceDown", "CollectorDown", "CollectorExporterDown", "CadvisorDown", "PrometheusDown"}},
		{kind: stat, title: "Paths differ by", unit: "none", width: 4,
			about:   "Requests that only one path tells although it had a minute to catch up. Must be zero: see the runbooks.",
			queries: []query{{"requests", `sum(instance:http_server_requests:path_behind1m) + sum(instance:http_server_requests:path_ahead1m)`}},
			levels:  wantZero(), noValue: "known a minute after the start", runbooks: []string{"CollectorPathLags", "PathsDiffer"}},
		{kind: stat, title: "Refused or lost", unit: "none", width: 4,
			about:   "Metric points, spans and log records that the Collector refused, failed to send or dropped in the last 5 min. Must be zero: see the runbooks.",
			queries: []query{{"items", `(sum(instance_receiver:otelcol_receiver_refused:delta5m) or vector(0)) + (sum(instance_exporter:otelcol_exporter_failed:delta5m) or vector(0))`}},
			levels:  wantZero(), runbooks: []string{"CollectorRefuses", "CollectorDrops"}},
		{kind: stat, title: "Errors of the SDK", unit: "none", width: 4,
			about:   "Errors that the service's OpenTelemetry SDK reported in the last 5 min, such as exports that failed. Must be zero: see the runbook.",
			queries: []query{{"errors", `sum(increase(config_telemetry_errors_total{via="direct"}[5m]))`}},
			levels:  wantZero(), runbooks: []string{"SDKTrouble"}},
		{kind: stat, title: "Series that overflow", unit: "none", width: 4,
			about:   "Series that gather what did not fit under the SDK's limit of series a metric. Must be zero: a label has too many values.",
			queries: []query{{"series", `count({otel_metric_overflow="true", via="direct"}) or vector(0)`}},
			levels:  wantZero(), runbooks: []string{"SeriesOverflow"}},
		{kind: stat, title: "Collector is late", unit: "s", width: 4, decimals: places(1),
			about:   "How much older the service's telemetry is when it came through the Collector. Export interval, batch and scrape make up to 8 s; more: the Collector is slow or away.",
			queries: []query{{"seconds", `clamp_min(max(process_uptime_seconds{job="config-service", via="direct"} - ignoring (via) process_uptime_seconds{job="config-service", via="collector"}), 0)`}},
			levels:  worseFrom(8, 15), runbooks: []string{"CollectorPathLags"}},
	}
}

func pipelinePaths() []panel {
	return []panel{
		{kind: timeseries, title: "Difference at the moment", unit: "none", width: 8,
			about:   "Requests that one path tells and the other does not yet. Zero at rest; under load it is what the Collector's path is late by. When it stays at rest: see the runbooks.",
			queries: []query{{"{{instance}}", `instance:http_server_requests:path_difference`}}},
		{kind: timeseries, title: "Difference after a minute", unit: "none", width: 8, noValue: "known a minute after the start",
			about: "Requests that one path told a minute ago and the other does not tell now. Must be zero, whatever the load.",
			queries: []query{
				{"Collector behind, {{instance}}", `instance:http_server_requests:path_behind1m`},
				{"Collector ahead, {{instance}}", `instance:http_server_requests:path_ahead1m`},
			},
			levels: wantZero(), runbooks: []string{"CollectorPathLags", "PathsDiffer"}},
		{kind: timeseries, title: "Requests by either path", unit: "reqps", width: 8,
			about:   "The same requests a second, told by both paths. The lines lie on each other; when they part, one path is wrong.",
			queries: []query{{"{{via}}", `sum by (via) (rate(http_server_request_duration_seconds_count{job="config-service"}[1m]))`}}},
		{kind: timeseries, title: "Freshness", unit: "s", width: 12,
			about: "How much older the Collector's path is, and how long ago each target was last read. A climbing line: that hop stands still.",
			queries: []query{
				{"Collector's path is late by", `clamp_min(max(process_uptime_seconds{job="config-service", via="direct"} - ignoring (via) process_uptime_seconds{job="config-service", via="collector"}), 0)`},
				{"{{job}} was read ago", `max by (job) (time() - timestamp(up))`},
			},
			levels: worseFrom(8, 15)},
		{kind: timeseries, title: "Series by path", unit: "none", width: 12,
			about:   "Series of the service that each path brings. They are as many, within the moment in which a new one appears; a lasting difference is a metric or a label that one path loses.",
			queries: []query{{"{{via}}", `count by (via) ({__name__=~"http_.+|config_.+|db_.+|go_.+|process_.+", job="config-service"})`}}},
	}
}

func pipelineReceived() []panel {
	signals := func(prefix string) []query {
		return []query{
			{"metric points, {{receiver}}", `sum by (receiver) (rate(` + prefix + `_metric_points_total[$__rate_interval]))`},
			{"spans, {{receiver}}", `sum by (receiver) (rate(` + prefix + `_spans_total[$__rate_interval]))`},
			{"log records, {{receiver}}", `sum by (receiver) (rate(` + prefix + `_log_records_total[$__rate_interval]))`},
		}
	}
	return []panel{
		{kind: timeseries, title: "Received", unit: "cps", width: 8,
			about: "What the Collector takes in a second, by signal. Metric points stop: the service cannot reach it, or is down.", queries: signals("otelcol_receiver_accepted")},
		{kind: timeseries, title: "Refused", unit: "cps", width: 8,
			about:   "What the Collector refused a second, since its memory is short. The service keeps and repeats it for a while. Not zero: give the Collector memory (COLLECTOR_MEMORY_MIB).",
			queries: signals("otelcol_receiver_refused"), levels: wantZero(), runbooks: []string{"CollectorRefuses"}},
		{kind: timeseries, title: "Errors of the service's SDK", unit: "cps", width: 8,
			about:   "Errors a second that the service's SDK reported: exports that failed, metrics that it refused. Not zero: the service's log has each.",
			queries: []query{{"{{instance}}", `sum by (instance) (rate(config_telemetry_errors_total{via="direct"}[$__rate_interval]))`}},
			levels:  wantZero(), runbooks: []string{"SDKTrouble"}},
	}
}

func pipelineCollector() []panel {
	return []panel{
		{kind: timeseries, title: "Sent on", unit: "cps", width: 8,
			about: "What the exporters pass on a second: metrics to Prometheus, spans and log records to the log. Less than received, for long: they are lost or wait.",
			queries: []query{
				{"metric points, {{exporter}}", `sum by (exporter) (rate(otelcol_exporter_sent_metric_points_total[$__rate_interval]))`},
				{"spans, {{exporter}}", `sum by (exporter) (rate(otelcol_exporter_sent_spans_total[$__rate_interval]))`},
				{"log records, {{exporter}}", `sum by (exporter) (rate(otelcol_exporter_sent_log_records_total[$__rate_interval]))`},
			}},
		{kind: timeseries, title: "Failed or dropped", unit: "none", width: 8,
			about: "Items of the last 5 min that an exporter failed to send or to queue, and what the receivers refused. Must be zero.",
			queries: []query{
				{"failed, all exporters", `sum(instance_exporter:otelcol_exporter_failed:delta5m) or vector(0)`},
				{"refused, all receivers", `sum(instance_receiver:otelcol_receiver_refused:delta5m) or vector(0)`},
			},
			levels: wantZero(), runbooks: []string{"CollectorDrops", "CollectorRefuses"}},
		{kind: timeseries, title: "Lost between processors", unit: "cps", width: 8,
			about:   "Items a second that a processor took in and did not give out. Must be zero: nothing here filters.",
			queries: []query{{"{{processor}} {{otel_signal}}", `sum by (processor, otel_signal) (rate(otelcol_processor_incoming_items_total[1m])) - sum by (processor, otel_signal) (rate(otelcol_processor_outgoing_items_total[1m]))`}},
			levels:  wantZero(), runbooks: []string{"CollectorDrops"}},
		{kind: timeseries, title: "Waiting", unit: "none", width: 8,
			about: "Requests that exporters work on. Neither exporter has a queue of its own: what waits, waits in a batch. A line that stays up is an exporter that hangs.",
			queries: []query{
				{"{{exporter}} {{data_type}}", `sum by (exporter, data_type) (otelcol_exporter_in_flight_requests)`},
			}},
		{kind: timeseries, title: "Size of batches", unit: "none", width: 8,
			about:   "Mean items in a batch. It follows the load; traces and logs wait up to 5 s for company, metrics 0.2 s.",
			queries: []query{{"{{processor}}", `sum by (processor) (rate(otelcol_processor_batch_batch_send_size_sum[1m])) / (sum by (processor) (rate(otelcol_processor_batch_batch_send_size_count[1m])) > 0)`}}},
		{kind: timeseries, title: "The Collector's memory", unit: "bytes", width: 8,
			about: "Resident memory and heap. From COLLECTOR_MEMORY_MIB (512 MiB) on it refuses data; at 80 % of that it begins to.",
			queries: []query{
				{"resident {{instance}}", `sum by (instance) (otelcol_process_memory_rss_bytes)`},
				{"heap {{instance}}", `sum by (instance) (otelcol_process_runtime_heap_alloc_bytes)`},
			},
			levels: worseFrom(400<<20, 512<<20), runbooks: []string{"CollectorRefuses"}},
	}
}

func pipelineScrapes() []panel {
	return []panel{
		{kind: table, title: "Targets", unit: "none", width: 8, columns: []string{"job", "instance", "via"},
			about:   "Every target and whether Prometheus could read it. down: is the program running, and is the address in observability/targets right?",
			queries: []query{{"state", `max by (job, instance, via) (up)`}},
			levels:  betterFrom(0.5, 1), texts: map[string]string{"0": "down", "1": "up"}, runbooks: []string{"TargetDown"}},
		{kind: timeseries, title: "Duration of scrapes", unit: "s", width: 8,
			about:   "How long Prometheus takes to read a target; from 4 s on it gives up. A target that gets slower has more series, or no CPU.",
			queries: []query{{"{{job}} {{via}}", `max by (job, via) (scrape_duration_seconds)`}},
			levels:  worseFrom(2, 4)},
		{kind: timeseries, title: "Samples a scrape", unit: "none", width: 8,
			about:   "Samples that each target tells. Growth without end is a label with too many values: find it with topk(10, count by (__name__) ({__name__!=\"\"})).",
			queries: []query{{"{{job}}", `sum by (job) (scrape_samples_post_metric_relabeling)`}}},
		{kind: timeseries, title: "New series", unit: "none", width: 12,
			about:   "Series that the last scrape brought anew. Zero in quiet times; a steady stream is a label that changes at every scrape.",
			queries: []query{{"{{job}}", `sum by (job) (scrape_series_added)`}}},
		{kind: timeseries, title: "Samples refused by Prometheus", unit: "cps", width: 12,
			about: "Samples a second that Prometheus could not keep: two for one time, too old, or out of order. Must be zero: two targets tell the same series.",
			queries: []query{
				{"twice the same time", `rate(prometheus_target_scrapes_sample_duplicate_timestamp_total[$__rate_interval])`},
				{"out of order", `rate(prometheus_target_scrapes_sample_out_of_order_total[$__rate_interval])`},
				{"too old", `rate(prometheus_target_scrapes_sample_out_of_bounds_total[$__rate_interval])`},
			},
			levels: wantZero()},
	}
}

func pipelinePrometheus() []panel {
	return []panel{
		{kind: timeseries, title: "Samples kept", unit: "cps", width: 8,
			about:   "Samples a second that Prometheus writes. Falls when a target is away, rises with series.",
			queries: []query{{"samples", `sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))`}}},
		{kind: timeseries, title: "Series in memory", unit: "none", width: 8,
			about:   "Series that Prometheus has in memory, which is what its own memory goes by. Growth without end: see Samples a scrape.",
			queries: []query{{"series", `sum(prometheus_tsdb_head_series)`}}},
		{kind: timeseries, title: "Evaluation of rules", unit: "s", width: 8,
			about:   "How long the last evaluation of each group of rules took. Near 5 s alerts come late: fewer series, or a longer interval for the group.",
			queries: []query{{"{{rule_group}}", `label_replace(max by (rule_group) (prometheus_rule_group_last_duration_seconds), "rule_group", "$1", "rule_group", ".*;(.+)")`}},
			levels:  worseFrom(2, 5)},
		{kind: timeseries, title: "Rules that fail or are skipped", unit: "cps", width: 8,
			about: "Evaluations a second that failed, and those that were skipped since the one before still ran. Must be zero: an alert may be blind. The log of Prometheus names the rule.",
			queries: []query{
				{"failed", `sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))`},
				{"skipped", `sum(rate(prometheus_rule_group_iterations_missed_total[$__rate_interval]))`},
			},
			levels: wantZero()},
		{kind: timeseries, title: "Prometheus' memory", unit: "bytes", width: 8,
			about:   "Resident memory of Prometheus. It goes by series and by what is asked; near its limit see Containers.",
			queries: []query{{"resident", `sum(process_resident_memory_bytes{job="prometheus"})`}}, runbooks: []string{"MemoryNearLimit"}},
		{kind: timeseries, title: "Disk of Prometheus", unit: "bytes", width: 8,
			about: "What its data take. It is kept for 31 days; when it grows faster than the disk allows: fewer series, or a shorter retention.",
			queries: []query{
				{"blocks", `sum(prometheus_tsdb_storage_blocks_bytes)`},
				{"write-ahead log", `sum(prometheus_tsdb_wal_storage_size_bytes)`},
				{"newest chunks", `sum(prometheus_tsdb_head_chunks_storage_size_bytes)`},
			}},
	}
}
