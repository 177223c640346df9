package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"configservice/observability/stack/supervise"
)

// The ports of the pipeline before the offset; its users fixed them.
const (
	servicePort           = 8000
	otlpGRPCPort          = 4317
	otlpHTTPPort          = 4318
	collectorExporterPort = 8889
	collectorMetricsPort  = 8888
	collectorHealthPort   = 13133 // the largest: see largestOffset
	cadvisorPort          = 8080
	prometheusPort        = 9090
	dashboardsPort        = 3001
)

// pipeline is the table of what this stack runs. Prometheus starts after its
// targets, so that each is up when it looks for the first time.
func pipeline(o options, getenv func(string) string) []supervise.Program {
	return []supervise.Program{collector(o), service(o, getenv), cadvisor(o), prometheus(o), dashboards(o, getenv)}
}

func collector(o options) supervise.Program {
	config := filepath.Join(o.config, "otel-collector.yml")
	return supervise.Program{
		Name:    "otel-collector",
		Command: []string{filepath.Join(o.bin, "otelcol"), "--config", config},
		Env: []string{
			"LISTEN_HOST=127.0.0.1",
			"COLLECTOR_LOG_LEVEL=warn", // its lines share a terminal with others
			o.portVariable("OTLP_GRPC_PORT", otlpGRPCPort),
			o.portVariable("OTLP_HTTP_PORT", otlpHTTPPort),
			o.portVariable("COLLECTOR_EXPORTER_PORT", collectorExporterPort),
			o.portVariable("COLLECTOR_METRICS_PORT", collectorMetricsPort),
			o.portVariable("COLLECTOR_HEALTH_PORT", collectorHealthPort),
		},
		Ports: []supervise.Port{
			o.port(otlpGRPCPort, "OTLP gRPC"),
			o.port(otlpHTTPPort, "OTLP HTTP"),
			o.port(collectorExporterPort, "metrics of the service"),
			o.port(collectorMetricsPort, "metrics of its own"),
			o.port(collectorHealthPort, "health"),
		},
		Files:  []string{config},
		Health: o.url(collectorHealthPort, "/"),
		URL:    o.url(collectorExporterPort, "/metrics"),
	}
}

// service leaves to the user's own environment whatever is set there.
func service(o options, getenv func(string) string) supervise.Program {
	dir := filepath.Join(o.data, "config-service")
	var env []string
	for _, preset := range [][2]string{
		{"CONFIG_SERVICE_LISTEN", o.address(servicePort)},
		{"CONFIG_SERVICE_DATABASE_URL", "sqlite:" + filepath.Join(dir, "config-service.db")},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", o.url(otlpGRPCPort, "")},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
		// With the Collector's batches and the scrape, well within the 15 s in
		// which a request is to be seen.
		{"OTEL_METRIC_EXPORT_INTERVAL", "2000"},
		// What the direct path calls it, so that both paths name one instance,
		// and the same one after a restart.
		{"OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=" + o.address(servicePort)},
	} {
		if getenv(preset[0]) == "" {
			env = append(env, preset[0]+"="+preset[1])
		}
	}
	return supervise.Program{
		Name:    "config-service",
		Command: []string{filepath.Join(o.bin, "config-service"), "serve"},
		Env:     env,
		Ports:   []supervise.Port{o.port(servicePort, "HTTP API")},
		Health:  o.url(servicePort, "/readyz"),
		URL:     o.url(servicePort, "/docs"),
		Needs:   []string{"otel-collector"},
		Prepare: func() error { return os.MkdirAll(dir, 0o755) },
		// The service gives requests in flight and the last telemetry their time.
		StopWithin: 20 * time.Second,
	}
}

func cadvisor(o options) supervise.Program {
	return supervise.Program{
		Name: "cadvisor",
		Command: []string{
			filepath.Join(o.bin, "cadvisor"),
			"-listen_ip", "127.0.0.1",
			"-port", strconv.Itoa(cadvisorPort + o.offset),
			// Of the cgroups that are no Docker container, only this stack's own.
			"-docker_only",
			"-raw_cgroup_prefix_whitelist", "/" + o.cgroup() + "/",
			"-store_container_labels=false",
			// Each scrape asks for a fresh reading; in between nobody looks.
			"-housekeeping_interval", "10s",
		},
		Ports:  []supervise.Port{o.port(cadvisorPort, "HTTP")},
		Health: o.url(cadvisorPort, "/healthz"),
		URL:    o.url(cadvisorPort, "/metrics"),
	}
}

func prometheus(o options) supervise.Program {
	dir := filepath.Join(o.data, "prometheus")
	return supervise.Program{
		Name: "prometheus",
		Command: []string{
			filepath.Join(o.bin, "prometheus"),
			"--config.file", filepath.Join(dir, "prometheus.yml"),
			"--storage.tsdb.path", filepath.Join(dir, "tsdb"),
			"--storage.tsdb.retention.time", "31d", // the longest window of the rules, and a day
			"--enable-feature", "exemplar-storage",
			"--web.listen-address", o.address(prometheusPort),
			"--log.level", "warn",
		},
		Ports:   []supervise.Port{o.port(prometheusPort, "HTTP API")},
		Health:  o.url(prometheusPort, "/-/ready"),
		URL:     o.url(prometheusPort, "/api/v1/targets"), // no web pages are built in
		Needs:   []string{"otel-collector", "config-service", "cadvisor"},
		Files:   []string{filepath.Join(o.config, "prometheus.yml"), filepath.Join(o.config, "targets", "native")},
		Prepare: func() error { return writePrometheusConfig(o.config, dir, o.offset) },
		// After a crash it reads its whole write-ahead log before it is ready.
		HealthyWithin: 3 * time.Minute,
		StopWithin:    30 * time.Second,
	}
}

func (o options) port(number int, purpose string) supervise.Port {
	return supervise.Port{Number: number + o.offset, Purpose: purpose}
}

func (o options) portVariable(name string, number int) string {
	return name + "=" + strconv.Itoa(number+o.offset)
}

func (o options) address(number int) string {
	return fmt.Sprintf("127.0.0.1:%d", number+o.offset)
}

func (o options) url(number int, path string) string {
	return "http://" + o.address(number) + path
}
