package main

import "configservice/observability/internal/dashboard"

// loadTest puts what the load tester offers and sees beside what the service says.
func loadTest() dashboard.Dashboard {
	return board{
		uid:   "load-test",
		title: "Load test",
		about: "Offered against achieved load, and the client's latency against the server's. Runs are marked in all dashboards.",
		variables: []dashboard.Variable{
			choice("scenario", "Scenario", "Scenarios of the load tester.", `loadtest_run_active{via="collector"}`),
		},
		annotations: []dashboard.Annotation{
			loadTests(),
			restarts("{{instance}} was started", `resets(process_uptime_seconds{job="config-service", via="direct"}[1m]) > 0`),
		},
		rows: []row{
			{"Is it well?", loadTestWell()},
			{"Load", loadTestLoad()},
			{"Latency", loadTestLatency()},
			{"What it costs the service", loadTestCost()},
		},
	}.dashboard()
}

const needsLoad = "needs a running load test: make load-test"

const scenario = `{via="collector", scenario=~"$scenario"}`

func loadTestWell() []panel {
	return []panel{
		{kind: stat, title: "Running", unit: "none", width: 4, noValue: needsLoad,
			about:   "Whether a load test runs. `make load-test` starts one.",
			queries: []query{{"{{scenario}}", `max by (scenario) (loadtest_run_active` + scenario + `)`}},
			levels:  []level{{0, "text"}, {1, "purple"}}, texts: map[string]string{"0": "over", "1": "running"}},
		{kind: stat, title: "Offered", unit: "reqps", width: 4, noValue: needsLoad,
			about:   "Requests that the load tester schedules a second. It does not slow down when the service does.",
			queries: []query{{"offered", `sum(rate(loadtest_requests_scheduled_total` + scenario + `[1m]))`}}, levels: plain()},
		{kind: stat, title: "Achieved", unit: "percentunit", width: 4, noValue: needsLoad, decimals: places(2),
			about:   "Share of the offered load that was answered in the last minute. Below 100 %: the service, or the machine of the load tester, does not keep up.",
			queries: []query{{"of the offered", `sum(rate(loadtest_requests_completed_total` + scenario + `[1m])) / (sum(rate(loadtest_requests_scheduled_total` + scenario + `[1m])) > 0)`}},
			levels:  betterFrom(0.9, 0.99)},
		{kind: stat, title: "Failed", unit: "none", width: 4, noValue: needsLoad,
			about: "Requests of the last 5 min without an answer, or with a 5xx. Not zero: the error types below and the service's log tell why.",
			queries: []query{{"requests", `(sum(increase(loadtest_requests_failed_total` + scenario + `[5m])) or 0 * sum(loadtest_run_active` + scenario + `))
  + (sum(increase(loadtest_requests_completed_total{via="collector", scenario=~"$scenario", http_response_status_code=~"5.."}[5m])) or 0 * sum(loadtest_run_active` + scenario + `))`}},
			levels: wantZero()},
		{kind: stat, title: "Client's latency, p99", unit: "s", width: 4, noValue: needsLoad,
			about:   "99 % of the answers came faster in the last minute, counted from the moment at which the request was due. The objective is 100 ms.",
			queries: []query{{"p99", `histogram_quantile(0.99, sum by (le) (rate(loadtest_response_duration_seconds_bucket` + scenario + `[1m]))) >= 0`}},
			levels:  worseFrom(0.05, 0.1)},
		{kind: stat, title: "Sent late", unit: "percentunit", width: 4, noValue: needsLoad, decimals: places(2),
			about:   "Share of the requests that the load tester itself sent later than they were due. Above 1 % it has too little CPU: what it measures is itself.",
			queries: []query{{"late", `(sum(rate(loadtest_requests_sent_late_total` + scenario + `[1m])) or 0 * sum(loadtest_run_active` + scenario + `)) / (sum(rate(loadtest_requests_scheduled_total` + scenario + `[1m])) > 0)`}},
			levels:  worseFrom(0.001, 0.01)},
	}
}

func loadTestLoad() []panel {
	return []panel{
		{kind: timeseries, title: "Offered and achieved", unit: "reqps", width: 12, noValue: needsLoad,
			about: "What was scheduled, answered, and what the service itself counted. Three lines on each other are a service that keeps up and a telemetry that is true.",
			queries: []query{
				{"offered", `sum(rate(loadtest_requests_scheduled_total` + scenario + `[1m]))`},
				{"answered", `sum(rate(loadtest_requests_completed_total` + scenario + `[1m]))`},
				{"counted by the service", `sum(job_route:http_server_requests:rate1m{job="config-service", http_route=~"/api/v1/.*"})`},
			},
			colours: []colour{{"offered", "purple"}, {"answered", "green"}, {"counted by the service", "blue"}}},
		{kind: timeseries, title: "Not achieved", unit: "reqps", width: 12, noValue: needsLoad,
			about: "Requests that failed, were never started since the run ended or too many were under way, or were sent late. Not zero: the service or the machine is at its limit.",
			queries: []query{
				{"failed: {{error_type}}", `sum by (error_type) (rate(loadtest_requests_failed_total` + scenario + `[1m]))`},
				{"not started", `sum(rate(loadtest_requests_not_started_total` + scenario + `[1m]))`},
				{"sent late", `sum(rate(loadtest_requests_sent_late_total` + scenario + `[1m]))`},
			},
			levels: wantZero()},
		{kind: timeseries, title: "Answers by status", unit: "reqps", width: 12, stacked: true, noValue: needsLoad,
			about:   "What the load tester got, by status code. 5xx is the service's fault; 409 and 412 are lost races, which a scenario may want.",
			queries: []query{{"{{http_response_status_code}}", `sum by (http_response_status_code) (rate(loadtest_requests_completed_total` + scenario + `[1m]))`}},
			colours: []colour{{"200", "green"}, {"201", "dark-green"}, {"204", "super-light-green"}, {"304", "blue"}, {"404", "yellow"}, {"412", "orange"}, {"500", "red"}, {"503", "dark-red"}}},
		{kind: timeseries, title: "Answers by route", unit: "reqps", width: 12, stacked: true, noValue: needsLoad,
			about:   "What the load tester asks for. It is the scenario's mix; a route that lags behind its share is slow.",
			queries: []query{{"{{http_request_method}} {{http_route}}", `sum by (http_request_method, http_route) (rate(loadtest_requests_completed_total` + scenario + `[1m]))`}}},
	}
}

func loadTestLatency() []panel {
	against := func(quantile, title string) panel {
		of := func(metric string) string {
			return `histogram_quantile(` + quantile + `, sum by (le) (rate(` + metric + `_bucket` + scenario + `[1m]))) >= 0`
		}
		return panel{kind: timeseries, title: title, unit: "s", width: 8, noValue: needsLoad,
			about: "Client from due: what a user feels, with the queue in front. Client from sent: without it. Server: what the service measures. " +
				"Due above sent: requests queue at the client. Sent above server: they queue in the kernel or the network.",
			queries: []query{
				{"client, from due", of("loadtest_response_duration_seconds")},
				{"client, from sent", of("loadtest_service_duration_seconds")},
				{"server", `histogram_quantile(` + quantile + `, sum by (le) (job_route_le:http_server_request_duration_seconds_bucket:rate1m{job="config-service", http_route=~"/api/v1/.*", http_route!~"/api/v1/watch|.*[?]wait"})) >= 0`},
			},
			levels:  worseFrom(0.05, 0.1),
			colours: []colour{{"client, from due", "purple"}, {"client, from sent", "light-purple"}, {"server", "blue"}}}
	}
	return []panel{
		against("0.5", "Latency, p50"),
		against("0.95", "Latency, p95"),
		against("0.99", "Latency, p99"),
		{kind: heatmap, title: "Client's latency, distribution", unit: "s", width: 24, noValue: needsLoad,
			about:   "How many answers a second took how long, from the moment at which the request was due. A second band far above is a queue, or pauses.",
			queries: []query{{"{{le}}", `sum by (le) (rate(loadtest_response_duration_seconds_bucket` + scenario + `[1m]))`}}},
	}
}

func loadTestCost() []panel {
	return []panel{
		{kind: timeseries, title: "CPU a request", unit: "s", width: 8,
			about:   "CPU time of the service for each request that it answered. Steady under load; a climb is work that grows with load, such as locks or collection.",
			queries: []query{{"CPU", `sum(rate(process_cpu_time_seconds_total{job="config-service", via="direct"}[1m])) / (sum(rate(http_server_request_duration_seconds_count{job="config-service", via="direct"}[1m])) > 0)`}}},
		{kind: timeseries, title: "CPU of limit", unit: "percentunit", width: 8, min: number(0),
			about:   "CPU of each program against its quota or the machine. When the machine is full, the load tester measures the machine.",
			queries: []query{{"{{name}}", `instance_name:container_cpu_usage:ratio_rate1m`}},
			levels:  worseFrom(0.7, 0.9)},
		{kind: timeseries, title: "Memory of the service", unit: "bytes", width: 8,
			about:   "Resident memory of the service. It should level off; growth over the whole run is a leak.",
			queries: []query{{"{{instance}}", `sum by (instance) (process_memory_usage_bytes{job="config-service", via="direct"})`}}},
	}
}
