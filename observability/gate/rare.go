package gate

// Rare is what a healthy native stack does not emit, and what is asked for all the same: it comes
// with trouble, with Docker, with another kernel, or with a load test. What stands here is by hand;
// of the rest the catalogue is written from the live stack.
func Rare() Catalogue {
	rare := Catalogue{}
	add := func(kind string, labels Labels, names ...string) {
		for _, name := range names {
			rare[name] = Metric{name, kind, labels}
		}
	}
	service := func(more ...string) Labels {
		return with(Labels{"job": {"config-service"}, "instance": nil, "via": {"collector", "direct"}}, more...)
	}
	container := func(more ...string) Labels {
		return with(Labels{"job": {"cadvisor"}, "instance": nil, "via": {"direct"}, "id": nil, "name": nil, "image": nil}, more...)
	}
	load := func(more ...string) Labels {
		return with(Labels{"job": {"loadtest"}, "instance": nil, "via": {"collector"}, "scenario": nil}, more...)
	}

	// With trouble: answers of 5xx, calls of the database that fail, more series than the SDK keeps.
	for _, of := range []string{"http_server_request_duration_seconds", "http_server_request_body_size_bytes", "http_server_response_body_size_bytes"} {
		add("histogram", service("error_type", "otel_metric_overflow"), of+"_bucket", of+"_count", of+"_sum")
	}
	const calls = "db_client_operation_duration_seconds"
	add("histogram", service("error_type"), calls+"_bucket", calls+"_count", calls+"_sum")
	add("counter", with(Labels{"job": {"otel-collector"}, "instance": nil, "via": {"direct"}, "exporter": nil}),
		"otelcol_exporter_send_failed_metric_points_total", "otelcol_exporter_send_failed_spans_total", "otelcol_exporter_send_failed_log_records_total",
		"otelcol_exporter_enqueue_failed_metric_points_total", "otelcol_exporter_enqueue_failed_spans_total", "otelcol_exporter_enqueue_failed_log_records_total")

	// With a CPU quota.
	add("counter", container(), "container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_periods_total")
	add("gauge", container(), "container_spec_cpu_quota")

	// With Docker, where a container has a network of its own.
	add("counter", container("interface"),
		"container_network_receive_bytes_total", "container_network_transmit_bytes_total",
		"container_network_receive_packets_dropped_total", "container_network_transmit_packets_dropped_total",
		"container_network_receive_errors_total", "container_network_transmit_errors_total")

	// With a kernel that accounts them to control groups.
	add("counter", container("device"),
		"container_fs_reads_bytes_total", "container_fs_writes_bytes_total", "container_fs_reads_total", "container_fs_writes_total")
	add("counter", container(),
		"container_pressure_cpu_waiting_seconds_total", "container_pressure_cpu_stalled_seconds_total",
		"container_pressure_memory_waiting_seconds_total", "container_pressure_memory_stalled_seconds_total",
		"container_pressure_io_waiting_seconds_total", "container_pressure_io_stalled_seconds_total")

	// With a load test.
	add("counter", load(), "loadtest_requests_scheduled_total", "loadtest_requests_not_started_total", "loadtest_requests_sent_late_total")
	add("counter", load("http_request_method", "http_route", "http_response_status_code"), "loadtest_requests_completed_total")
	add("counter", load("error_type"), "loadtest_requests_failed_total")
	add("histogram", load("le"), "loadtest_response_duration_seconds_bucket", "loadtest_service_duration_seconds_bucket")
	add("gauge", load("run"), "loadtest_run_active")
	return rare
}

func with(labels Labels, more ...string) Labels {
	for _, name := range more {
		labels[name] = nil
	}
	return labels
}
