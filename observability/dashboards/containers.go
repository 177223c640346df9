package main

import "configservice/observability/internal/dashboard"

// containers is about what cAdvisor sees: Docker's containers and, natively, the control group of
// each program. Both have a name.
func containers() dashboard.Dashboard {
	return board{
		uid:   "container-metrics",
		title: "Containers",
		about: "CPU, memory, network and disk of each container or, without Docker, of each program, against its limits; where it has none, against the machine.",
		variables: []dashboard.Variable{
			choice("name", "Container", "Containers, or programs of the native stack.", `container_start_time_seconds{name!=""}`),
		},
		annotations: []dashboard.Annotation{
			loadTests(),
			restarts("{{name}} was started", `changes(container_start_time_seconds{name!=""}[1m]) > 0`),
		},
		rows: []row{
			{"Is it well?", containersWell()},
			{"CPU", containersCPU()},
			{"Memory", containersMemory()},
			{"Network", containersNetwork()},
			{"Disk", containersDisk()},
			{"Pressure", containersPressure()},
		},
	}.dashboard()
}

func containersWell() []panel {
	return []panel{
		{kind: stat, title: "Containers", unit: "none", width: 4,
			about:   "Containers that cAdvisor sees now. Fewer than usual: one does not run; `docker compose ps` or the terminal of `make run` tells which.",
			queries: []query{{"containers", `count(container_last_seen{name!=""} > time() - 60)`}},
			levels:  plain(), noValue: "cAdvisor sees none", runbooks: []string{"CadvisorDown", "ContainersStale"}},
		{kind: stat, title: "Busiest CPU", unit: "percentunit", width: 4,
			about:   "CPU of the container that is nearest to its limit, or the machine's. When red: CPU below tells which; give it more, or spread its work.",
			queries: []query{{"of its limit", `max(instance_name:container_cpu_usage:ratio_rate1m)`}},
			levels:  worseFrom(0.7, 0.9)},
		{kind: stat, title: "Fullest memory", unit: "percentunit", width: 4,
			about:   "Working set of the container that is nearest to its limit, or the machine's. At 100 % the kernel kills it: see the runbook.",
			queries: []query{{"of its limit", `max(instance_name:container_memory_working_set:ratio)`}},
			levels:  worseFrom(0.8, 0.9), runbooks: []string{"MemoryNearLimit"}},
		{kind: stat, title: "Most throttled", unit: "percentunit", width: 4, noValue: "needs a container with a CPU quota, as in Docker",
			about:   "Share of CPU periods in which the most throttled container was held back. Above 25 % its latency suffers: raise its quota.",
			queries: []query{{"of its periods", `max(instance_name:container_cpu_cfs_throttled_periods:ratio_rate5m)`}},
			levels:  worseFrom(0.1, 0.25), runbooks: []string{"CPUThrottled"}},
		{kind: stat, title: "Restarts in the last hour", unit: "none", width: 4,
			about:   "How often any container was started anew in the last hour. Not zero without a deployment: the log of the one that restarted says why; the marks in the graphs say when.",
			queries: []query{{"restarts", `sum(changes(container_start_time_seconds{name!=""}[1h]))`}},
			levels:  worseFrom(1, 5), noValue: "cAdvisor sees none"},
		{kind: stat, title: "Machine's CPU", unit: "percentunit", width: 4,
			about:   "CPU of the whole machine that is used, also by what is none of ours. When red and no container below is: something else keeps it busy.",
			queries: []query{{"used", `sum(rate(container_cpu_usage_seconds_total{id="/"}[1m])) / sum(machine_cpu_cores)`}},
			levels:  worseFrom(0.7, 0.9)},
	}
}

func containersCPU() []panel {
	return []panel{
		{kind: bars, title: "CPU of limit, now", unit: "percentunit", width: 8, min: number(0), max: number(1),
			about:   "CPU of each container as a share of its quota; where there is none, of the machine. One near 100 % waits: raise its quota, or spread its work.",
			queries: []query{{"{{name}}", `instance_name:container_cpu_usage:ratio_rate1m{name=~"$name"}`}},
			levels:  worseFrom(0.7, 0.9)},
		{kind: timeseries, title: "CPU of limit", unit: "percentunit", width: 16, min: number(0),
			about:   "The same over time. A plateau is a limit that holds it back; compare with the requests in Configuration Service.",
			queries: []query{{"{{name}}", `instance_name:container_cpu_usage:ratio_rate1m{name=~"$name"}`}},
			levels:  worseFrom(0.7, 0.9)},
		{kind: timeseries, title: "CPU used", unit: "none", width: 8, stacked: true,
			about:   "Cores that each container uses. What grows while the load does not is a change of the program.",
			queries: []query{{"{{name}}", `instance_name:container_cpu_usage_seconds:rate1m{name=~"$name"}`}}},
		{kind: timeseries, title: "CPU in the kernel", unit: "percentunit", width: 8, min: number(0), max: number(1),
			about:   "Share of a container's CPU that is spent in the kernel: system calls, network, disk. High and rising: many small requests, or memory that is short.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_cpu_system_seconds_total{name=~"$name", name!=""}[1m])) / (sum by (name) (rate(container_cpu_usage_seconds_total{name=~"$name", name!=""}[1m])) > 0)`}}},
		{kind: timeseries, title: "Throttled", unit: "percentunit", width: 8, min: number(0), noValue: "needs a container with a CPU quota, as in Docker",
			about:    "Share of CPU periods in which the container was held back by its quota. Above 25 % for 15 min there is an alert: raise the quota.",
			queries:  []query{{"{{name}}", `instance_name:container_cpu_cfs_throttled_periods:ratio_rate5m{name=~"$name"}`}},
			levels:   worseFrom(0.1, 0.25),
			runbooks: []string{"CPUThrottled"}},
	}
}

func containersMemory() []panel {
	return []panel{
		{kind: bars, title: "Memory of limit, now", unit: "percentunit", width: 8, min: number(0), max: number(1),
			about:    "Working set of each container as a share of its limit; where there is none, of the machine. At 100 % the kernel kills it.",
			queries:  []query{{"{{name}}", `instance_name:container_memory_working_set:ratio{name=~"$name"}`}},
			levels:   worseFrom(0.8, 0.9),
			runbooks: []string{"MemoryNearLimit"}},
		{kind: timeseries, title: "Working set", unit: "bytes", width: 8,
			about:   "Memory that the kernel cannot simply take back. Steady growth is a leak, or data that grow: compare with Memory in Configuration Service.",
			queries: []query{{"{{name}}", `instance_name:container_memory_working_set:bytes{name=~"$name"}`}}},
		{kind: timeseries, title: "Limit", unit: "bytes", width: 8,
			about:   "Memory limit of each container; where there is none, the machine's memory. A step is a change of the configuration.",
			queries: []query{{"{{name}}", `instance_name:container_memory_limit:bytes{name=~"$name"}`}}},
		{kind: timeseries, title: "Page cache", unit: "bytes", width: 12,
			about:   "Files that the kernel keeps in memory for a container, such as its database. It gives them back when memory is short; then the disk gets busy.",
			queries: []query{{"{{name}}", `max by (name) (container_memory_cache{name=~"$name", name!=""})`}}},
		{kind: timeseries, title: "Major page faults", unit: "ops", width: 12,
			about:   "Reads a second of memory that had to come from disk. Steadily above zero: memory is too short.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_memory_failures_total{failure_type="pgmajfault", scope="container", name=~"$name", name!=""}[$__rate_interval]))`}},
			levels:  worseFrom(10, 100)},
	}
}

func containersNetwork() []panel {
	const ours = `{name=~"$name", name!=""}[$__rate_interval]`
	return []panel{
		{kind: timeseries, title: "Received", unit: "Bps", width: 8, noValue: "needs Docker: without it, all programs share the machine's network",
			about:   "Bytes that each container receives a second. A jump without one in the requests: bigger payloads, or traffic of another kind.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_network_receive_bytes_total` + ours + `))`}}},
		{kind: timeseries, title: "Sent", unit: "Bps", width: 8, noValue: "needs Docker: without it, all programs share the machine's network",
			about:   "Bytes that each container sends a second. Many watchers of big configurations show here first.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_network_transmit_bytes_total` + ours + `))`}}},
		{kind: timeseries, title: "Dropped and faulty packets", unit: "pps", width: 8, noValue: "needs Docker: without it, all programs share the machine's network",
			about: "Packets a second that were dropped or faulty. Not zero: buffers of the machine are too small, or its network is broken.",
			queries: []query{
				{"{{name}} received, dropped", `sum by (name) (rate(container_network_receive_packets_dropped_total` + ours + `))`},
				{"{{name}} sent, dropped", `sum by (name) (rate(container_network_transmit_packets_dropped_total` + ours + `))`},
				{"{{name}} received, faulty", `sum by (name) (rate(container_network_receive_errors_total` + ours + `))`},
				{"{{name}} sent, faulty", `sum by (name) (rate(container_network_transmit_errors_total` + ours + `))`},
			},
			levels: wantZero()},
		{kind: timeseries, title: "The machine's interfaces", unit: "Bps", width: 24,
			about: "Bytes a second of each network interface of the machine. Near what the interface can do: everything slows down together.",
			queries: []query{
				{"{{interface}} received", `sum by (interface) (rate(container_network_receive_bytes_total{id="/"}[$__rate_interval]))`},
				{"{{interface}} sent", `sum by (interface) (rate(container_network_transmit_bytes_total{id="/"}[$__rate_interval]))`},
			}},
	}
}

func containersDisk() []panel {
	const needs = "needs a kernel that accounts block I/O to control groups"
	const ours = `{name=~"$name", name!=""}[$__rate_interval]`
	return []panel{
		{kind: timeseries, title: "Read", unit: "Bps", width: 8, noValue: needs,
			about:   "Bytes that each container reads from disk a second. High and steady: its data do not fit into memory.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_fs_reads_bytes_total` + ours + `))`}}},
		{kind: timeseries, title: "Written", unit: "Bps", width: 8, noValue: needs,
			about:   "Bytes that each container writes to disk a second. The database follows the writes of the API, Prometheus its samples; logs that grow are the third.",
			queries: []query{{"{{name}}", `sum by (name) (rate(container_fs_writes_bytes_total` + ours + `))`}}},
		{kind: timeseries, title: "Operations of the disk", unit: "iops", width: 8, noValue: needs,
			about: "Reads and writes a second. Every commit of the store is at least one write; near what the disk can do, writes queue.",
			queries: []query{
				{"{{name}} reads", `sum by (name) (rate(container_fs_reads_total` + ours + `))`},
				{"{{name}} writes", `sum by (name) (rate(container_fs_writes_total` + ours + `))`},
			}},
	}
}

func containersPressure() []panel {
	const needs = "needs control groups of version 2 with pressure stall information"
	const ours = `{name=~"$name", name!=""}[$__rate_interval]`
	pressure := func(title, of, about string) panel {
		return panel{kind: timeseries, title: title, unit: "percentunit", width: 8, min: number(0), noValue: needs, about: about,
			queries: []query{
				{"{{name}} some", `sum by (name) (rate(container_pressure_` + of + `_waiting_seconds_total` + ours + `))`},
				{"{{name}} all", `sum by (name) (rate(container_pressure_` + of + `_stalled_seconds_total` + ours + `))`},
			},
			levels: worseFrom(0.1, 0.25)}
	}
	return []panel{
		pressure("CPU pressure", "cpu", "Share of the time in which some, or all, of the container wanted CPU and got none. It rises before latency does: give it CPU."),
		pressure("Memory pressure", "memory", "Share of the time in which some, or all, of the container waited for memory. It rises before the kernel kills: raise the limit."),
		pressure("Disk pressure", "io", "Share of the time in which some, or all, of the container waited for the disk. High: commits wait for it; a faster disk, or fewer writes."),
	}
}
