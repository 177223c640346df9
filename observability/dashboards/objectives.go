package main

import "configservice/observability/internal/dashboard"

// objectives is about the service level objectives and the alerts.
func objectives() dashboard.Dashboard {
	return board{
		uid:   "slo",
		title: "SLO",
		about: "Objectives over 30 days: 99.9 % of the API's requests do not fail with a 5xx; 99 % of the others are answered within 100 ms.",
		annotations: []dashboard.Annotation{
			loadTests(),
			restarts("{{instance}} was started", `resets(process_uptime_seconds{job="config-service", via="direct"}[1m]) > 0`),
		},
		rows: []row{
			{"Is it well?", objectivesWell()},
			{"Availability", objective(slo{"Availability", "errors", "availability",
				"requests that failed with a 5xx", []string{"AvailabilityBurnsFast", "AvailabilityBurnsSlowly"}})},
			{"Latency", objective(slo{"Latency", "slow", "latency",
				"requests that took longer than 100 ms", []string{"LatencyBurnsFast", "LatencyBurnsSlowly"}})},
			{"Alerts", alerts()},
		},
	}.dashboard()
}

const firstMinute = "known a minute after the first request"

func objectivesWell() []panel {
	return []panel{
		{kind: stat, title: "Availability, 30 days", unit: "percentunit", width: 4, decimals: places(3),
			about:   "Share of the API's requests in 30 days, or since there are data, that did not fail with a 5xx. Below 99.9 % the objective is missed: stop what is risky, work on reliability.",
			queries: []query{{"availability", `1 - job:http_server_api_requests_errors:ratio_rate30d{job="config-service"}`}},
			levels:  betterFrom(0.999, 0.9995), noValue: firstMinute},
		{kind: gauge, title: "Availability budget left", unit: "percentunit", width: 4, min: number(0), max: number(1),
			about:   "How much of the 0.1 % of requests that may fail in 30 days is left. Below 25 % be careful with deployments; at 0 the objective is missed.",
			queries: []query{{"budget", `job:http_server_api_availability:budget_remaining30d{job="config-service"}`}},
			levels:  betterFrom(0.01, 0.25), noValue: firstMinute},
		{kind: stat, title: "Latency, 30 days", unit: "percentunit", width: 4, decimals: places(2),
			about:   "Share of the API's requests in 30 days, or since there are data, that were answered within 100 ms, of those that did not fail. Below 99 % the objective is missed.",
			queries: []query{{"within 100 ms", `1 - job:http_server_api_requests_slow:ratio_rate30d{job="config-service"}`}},
			levels:  betterFrom(0.99, 0.995), noValue: firstMinute},
		{kind: gauge, title: "Latency budget left", unit: "percentunit", width: 4, min: number(0), max: number(1),
			about:   "How much of the 1 % of requests that may be slow in 30 days is left. Below 25 % look at Latency in Configuration Service before it is gone.",
			queries: []query{{"budget", `job:http_server_api_latency:budget_remaining30d{job="config-service"}`}},
			levels:  betterFrom(0.01, 0.25), noValue: firstMinute},
		{kind: stat, title: "Burns now", unit: "none", width: 4, decimals: places(1),
			about: "How many times too fast the budget that burns faster was spent in the last 5 min: 1 spends it in exactly 30 days, 14.4 in two. When red: the rows below tell which objective.",
			queries: []query{
				{"availability", `job:http_server_api_requests_errors:ratio_rate5m{job="config-service"} / 0.001`},
				{"latency", `job:http_server_api_requests_slow:ratio_rate5m{job="config-service"} / 0.01`},
			},
			levels: worseFrom(1, 14.4), noValue: firstMinute},
		{kind: stat, title: "Alerts firing", unit: "none", width: 4,
			about:   "Alerts that fire now, without the Watchdog that always does. When red: see Alerts below; each has a runbook.",
			queries: []query{{"alerts", `count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or vector(0)`}},
			levels:  wantZero()},
	}
}

// slo is what the panels of an objective differ by.
type slo struct {
	title, bad, name string
	requests         string // what is counted as bad
	runbooks         []string
}

func objective(o slo) []panel {
	total := map[string]string{"errors": "requests", "slow": "requests_timed"}[o.bad]
	ratio := `job:http_server_api_requests_` + o.bad + `:ratio_rate`
	budget := map[string]string{"errors": "0.001", "slow": "0.01"}[o.bad]
	var rates []query
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
		rates = append(rates, query{window, ratio + window + `{job="config-service"} / ` + budget})
	}
	return []panel{
		{kind: bars, title: o.title + ": burn rates now", unit: "none", width: 8, min: number(0), max: number(20), decimals: places(2),
			about:   "How many times too fast the budget was spent in each window. A page fires when 1h and 5m are above 14.4, or 6h and 30m above 6; a ticket when 1d and 2h are above 3, or 3d and 6h above 1.",
			queries: rates, levels: worseFrom(1, 6), noValue: firstMinute, runbooks: o.runbooks},
		{kind: timeseries, title: o.title + ": burn rates", unit: "none", width: 8, min: number(0), decimals: places(2),
			about:   "The same over time. A short window that jumps while the long ones stay is an incident that begins; all together is one that lasts.",
			queries: rates[:5], levels: []level{{0, "green"}, {1, "yellow"}, {6, "orange"}, {14.4, "red"}}, noValue: firstMinute, runbooks: o.runbooks},
		{kind: timeseries, title: o.title + ": budget left", unit: "percentunit", width: 8, max: number(1),
			about:   "Budget of 30 days that is left. A steep fall is an incident; a slow one, a habit.",
			queries: []query{{"budget", `job:http_server_api_` + o.name + `:budget_remaining30d{job="config-service"}`}},
			levels:  betterFrom(0.01, 0.25), noValue: firstMinute, runbooks: o.runbooks},
		{kind: timeseries, title: o.title + ": bad requests", unit: "reqps", width: 24,
			about: "All requests that count for the objective, and the " + o.requests + ", a second in the last 5 min. Which routes: see Configuration Service.",
			queries: []query{
				{"all", `job:http_server_api_` + total + `:rate5m{job="config-service"}`},
				{"bad", `job:http_server_api_requests_` + o.bad + `:rate5m{job="config-service"}`},
			},
			colours: []colour{{"all", "green"}, {"bad", "red"}}, noValue: firstMinute},
	}
}

func alerts() []panel {
	return []panel{
		{kind: table, title: "Alerts", unit: "none", width: 12,
			columns:  []string{"alertname", "alertstate", "severity", "component", "name", "job", "instance"},
			about:    "Alerts that are pending or firing. Watchdog always fires: when it is missing, no rule is evaluated. For any other see docs/runbooks.",
			queries:  []query{{"", `sum by (alertname, alertstate, severity, component, name, job, instance) (ALERTS)`}},
			runbooks: []string{"Watchdog"}},
		{kind: timeseries, title: "Alerts over time", unit: "none", width: 12, stacked: true,
			about:   "How many alerts of each name were pending or firing. Many at once have one cause: the one that came first.",
			queries: []query{{"{{alertname}} {{alertstate}}", `count by (alertname, alertstate) (ALERTS)`}}},
	}
}
