package main

import "configservice/observability/internal/dashboard"

// service is about the Configuration Service itself. It reads one path, via="direct".
func service() dashboard.Dashboard {
	return board{
		uid:   "configuration-service",
		title: "Configuration Service",
		about: "Rate, errors, latency, saturation, business and watches of the Configuration Service, as it tells them itself.",
		variables: []dashboard.Variable{
			choice("http_route", "Route", "Routes of the panels on requests and latency.",
				`http_server_request_duration_seconds_count{job="config-service", via="direct"}`),
			choice("instance", "Instance", "Instances of the panels on saturation, business and watches.",
				`up{job="config-service"}`),
		},
		annotations: []dashboard.Annotation{
			loadTests(),
			restarts("{{instance}} was started", `resets(process_uptime_seconds{job="config-service", via="direct"}[1m]) > 0`),
		},
		rows: []row{
			{"Is it well?", serviceWell()},
			{"Requests", serviceRequests()},
			{"Latency", serviceLatency()},
			{"Saturation: database", serviceDatabase()},
			{"Saturation: process", serviceProcess()},
			{"Business", serviceBusiness()},
			{"Watch", serviceWatch()},
		},
	}.dashboard()
}

func serviceWell() []panel {
	return []panel{
		{kind: stat, title: "Instances", unit: "none", width: 3,
			about:   "Instances of the service that Prometheus can read. When red: see the runbook; the log of the service says why it does not start.",
			queries: []query{{"up", `sum(up{job="config-service"})`}},
			levels:  betterFrom(0.5, 1), runbooks: []string{"ServiceDown"}},
		{kind: stat, title: "Database", unit: "percentunit", width: 3,
			about:   "Share of the instances that got an answer from their database at the last scrape. When below 100 %: see the runbook.",
			queries: []query{{"instances", `(count(config_store_revision{job="config-service", via="direct"}) or vector(0)) / count(up{job="config-service"} == 1)`}},
			levels:  betterFrom(0.5, 1), noValue: "no instance is up", runbooks: []string{"DatabaseUnreachable"}},
		{kind: stat, title: "API requests", unit: "reqps", width: 3,
			about:   "Requests of the API a second. When it is far from what is usual: is it the clients (see the status codes below), or can they not reach the service?",
			queries: []query{{"requests", `sum(job_route:http_server_requests:rate1m{job="config-service", http_route=~"/api/v1/.*"})`}},
			levels:  plain(), noValue: "no request yet"},
		{kind: stat, title: "API errors", unit: "percentunit", width: 3, decimals: places(2),
			about: "Share of the requests of the API that failed with a 5xx in the last minute; the objective allows 0.1 %. When red: which route and which code, see Requests; then the database.",
			queries: []query{{"errors", `sum(job_route:http_server_requests_errors:rate1m{job="config-service", http_route=~"/api/v1/.*"})
  / (sum(job_route:http_server_requests:rate1m{job="config-service", http_route=~"/api/v1/.*"}) > 0)
  or vector(0)`}},
			levels: worseFrom(0.001, 0.01), runbooks: []string{"AvailabilityBurnsFast"}},
		{kind: stat, title: "API p99", unit: "s", width: 3,
			about:   "99 % of the requests of the API were answered faster in the last minute; without watches and long polls, which are meant to last. The objective is 100 ms. When red: see Latency for the route, and Saturation for the reason.",
			queries: []query{{"p99", `histogram_quantile(0.99, sum by (le) (job_route_le:http_server_request_duration_seconds_bucket:rate1m{job="config-service", http_route=~"/api/v1/.*", http_route!~"/api/v1/watch|.*[?]wait"})) >= 0`}},
			levels:  worseFrom(0.05, 0.1), noValue: "no request in the last minute", runbooks: []string{"LatencyBurnsFast"}},
		{kind: stat, title: "Watch p99", unit: "s", width: 3,
			about:   "99 % of the changes reached their watchers' connections faster, in the last 5 min. When red: see Watch.",
			queries: []query{{"p99", `job:config_propagation_duration_seconds:p99_rate5m{job="config-service"}`}},
			levels:  worseFrom(0.5, 1), noValue: "no change was watched", runbooks: []string{"PropagationSlow"}},
		{kind: stat, title: "Cache hits", unit: "percentunit", width: 3,
			about:   "Share of the reads of one configuration that the cache answered in the last minute. Low after a start and while everything changes; else raise --cache-bytes.",
			queries: []query{{"hits", `sum(rate(config_reads_total{via="direct", source="cache"}[1m])) / (sum(rate(config_reads_total{via="direct"}[1m])) > 0)`}},
			levels:  plain(), noValue: "no read in the last minute"},
		{kind: stat, title: "Alerts firing", unit: "none", width: 3,
			about:   "Alerts that fire now, of all components, without the Watchdog that always does. When red: the dashboard SLO lists them.",
			queries: []query{{"alerts", `count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or vector(0)`}},
			levels:  wantZero()},
	}
}

func serviceRequests() []panel {
	return []panel{
		{kind: timeseries, title: "Requests by route", unit: "reqps", width: 8, stacked: true,
			about:   "Requests a second. A route that jumps: find its caller in the audit, or limit it with --write-rate.",
			queries: []query{{"{{http_route}}", `job_route:http_server_requests:rate1m{job="config-service", http_route=~"$http_route"}`}}},
		{kind: timeseries, title: "Requests by status", unit: "reqps", width: 8, stacked: true,
			about: "Requests a second by status code. 5xx is ours: see the log for the trace id. 4xx is the callers': 409 and 412 are lost races, 401 and 403 tokens, 429 and 503 limits.",
			queries: []query{{"{{http_response_status_code}}",
				`sum by (http_response_status_code) (job_method_route_status:http_server_requests:rate1m{job="config-service", http_route=~"$http_route"})`}},
			colours: []colour{{"200", "green"}, {"201", "dark-green"}, {"204", "super-light-green"}, {"304", "blue"},
				{"404", "yellow"}, {"409", "light-orange"}, {"412", "orange"}, {"422", "light-yellow"},
				{"429", "dark-orange"}, {"500", "red"}, {"503", "dark-red"}}},
		{kind: timeseries, title: "Errors by route", unit: "percentunit", width: 8, min: number(0),
			about:   "Share of the requests that failed with a 5xx. When it leaves zero: the database first (below), then the log.",
			queries: []query{{"{{http_route}}", `job_route:http_server_requests_errors:ratio_rate1m{job="config-service", http_route=~"$http_route"}`}},
			levels:  worseFrom(0.001, 0.01), runbooks: []string{"AvailabilityBurnsFast", "AvailabilityBurnsSlowly"}},
		{kind: timeseries, title: "Requests in flight", unit: "none", width: 8,
			about:   "Requests that are being answered. Long polls and watches count for as long as they last; otherwise a climb means that answers are slow: see Latency.",
			queries: []query{{"{{http_request_method}} {{instance}}", `sum by (instance, http_request_method) (http_server_active_requests{via="direct", instance=~"$instance"})`}}},
		{kind: timeseries, title: "Turned away at a limit", unit: "reqps", width: 8,
			about:   "Requests a second that met a limit of the service. Not zero: is the caller at fault, or the limit too low? The options of each limit are in the runbook.",
			queries: []query{{"{{limit}}", `sum by (limit) (rate(config_limits_rejected_total{via="direct", instance=~"$instance"}[$__rate_interval]))`}},
			levels:  wantZero(), runbooks: []string{"RequestsRejected"}},
		{kind: timeseries, title: "Size of bodies", unit: "bytes", width: 8,
			about: "Mean size of what is received and of what is answered. A jump means other payloads: see Business.",
			queries: []query{
				{"received", `sum(rate(http_server_request_body_size_bytes_sum{via="direct", http_route=~"$http_route"}[1m])) / (sum(rate(http_server_request_body_size_bytes_count{via="direct", http_route=~"$http_route"}[1m])) > 0)`},
				{"answered", `sum(rate(http_server_response_body_size_bytes_sum{via="direct", http_route=~"$http_route"}[1m])) / (sum(rate(http_server_response_body_size_bytes_count{via="direct", http_route=~"$http_route"}[1m])) > 0)`},
			}},
	}
}

func serviceLatency() []panel {
	quantile := func(title, record string) panel {
		return panel{kind: timeseries, title: title, unit: "s", width: 8,
			about: "Time to answer, by route, of the last minute. Watches and long polls last as long as their clients like; other routes should stay below 100 ms. " +
				"When one climbs: is it waiting for a connection or for the database (below), or is the machine busy (Containers)?",
			queries:  []query{{"{{http_route}}", `job_route:http_server_request_duration_seconds:` + record + `{job="config-service", http_route=~"$http_route"}`}},
			levels:   worseFrom(0.05, 0.1),
			runbooks: []string{"LatencyBurnsFast", "LatencyBurnsSlowly"}}
	}
	return []panel{
		quantile("Latency, p50", "p50_rate1m"),
		quantile("Latency, p95", "p95_rate1m"),
		quantile("Latency, p99", "p99_rate1m"),
		{kind: heatmap, title: "Latency, distribution", unit: "s", width: 24,
			about:   "How many requests a second took how long, over all chosen routes. Two bands are two kinds of answers, such as from the cache and from the store; a band that drifts up is what a quantile hides.",
			queries: []query{{"{{le}}", `sum by (le) (job_route_le:http_server_request_duration_seconds_bucket:rate1m{job="config-service", http_route=~"$http_route", http_route!~"/api/v1/watch|.*[?]wait"})`}}},
	}
}

func serviceDatabase() []panel {
	const pool = `{via="direct", instance=~"$instance"}`
	return []panel{
		{kind: timeseries, title: "Connections", unit: "none", width: 8,
			about: "Connections of each pool that are used or idle, and the most there may be. When used stays at max, callers wait: see the next panel.",
			queries: []query{
				{"{{db_client_connection_pool_name}} {{db_client_connection_state}}", `sum by (db_client_connection_pool_name, db_client_connection_state) (db_client_connection_count` + pool + `)`},
				{"{{db_client_connection_pool_name}} max", `sum by (db_client_connection_pool_name) (db_client_connection_max` + pool + `)`},
			},
			runbooks: []string{"PoolExhausted"}},
		{kind: timeseries, title: "Callers that wait for a connection", unit: "none", width: 8,
			about: "Callers in the queue of each pool, and those a second that gave up. When it stays above zero, the database is slow or the pool too small: see the runbook.",
			queries: []query{
				{"{{db_client_connection_pool_name}} wait", `sum by (db_client_connection_pool_name) (db_client_connection_pending_requests` + pool + `)`},
				{"{{db_client_connection_pool_name}} gave up per s", `sum by (db_client_connection_pool_name) (rate(db_client_connection_timeouts_total` + pool + `[$__rate_interval]))`},
			},
			levels: worseFrom(1, 10), runbooks: []string{"PoolExhausted", "PoolTimeouts"}},
		{kind: timeseries, title: "Waiting for and using a connection, p99", unit: "s", width: 8,
			about: "How long callers wait for a connection, and how long they keep it. Long use makes long waits: find the operation that is slow in the next panels.",
			queries: []query{
				{"{{db_client_connection_pool_name}} wait", `histogram_quantile(0.99, sum by (le, db_client_connection_pool_name) (rate(db_client_connection_wait_time_seconds_bucket` + pool + `[1m]))) >= 0`},
				{"{{db_client_connection_pool_name}} use", `histogram_quantile(0.99, sum by (le, db_client_connection_pool_name) (rate(db_client_connection_use_time_seconds_bucket` + pool + `[1m]))) >= 0`},
			},
			levels: worseFrom(0.05, 0.1)},
		{kind: timeseries, title: "Operations", unit: "ops", width: 8, stacked: true,
			about:   "Calls of the database a second. More calls than requests: the cache does not help, see Business.",
			queries: []query{{"{{db_operation_name}} {{db_collection_name}}", `sum by (db_operation_name, db_collection_name) (rate(db_client_operation_duration_seconds_count` + pool + `[1m]))`}}},
		{kind: timeseries, title: "Operations, p99", unit: "s", width: 8,
			about:   "How long calls of the database take. When all climb: disk or machine; when one does: its statement, or a lock.",
			queries: []query{{"{{db_operation_name}} {{db_collection_name}}", `histogram_quantile(0.99, sum by (le, db_operation_name, db_collection_name) (rate(db_client_operation_duration_seconds_bucket` + pool + `[1m]))) >= 0`}},
			levels:  worseFrom(0.05, 0.1)},
		{kind: timeseries, title: "Operations that fail", unit: "percentunit", width: 8, min: number(0),
			about:    "Share of the calls of the database that failed in the last 2 min. When it leaves zero: see the runbook; the log has each error once.",
			queries:  []query{{"{{instance}}", `instance:db_client_operations_errors:ratio_rate2m{instance=~"$instance"}`}},
			levels:   worseFrom(0.01, 0.05),
			runbooks: []string{"DatabaseErrors", "DatabaseUnreachable"}},
	}
}
