//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
)

// A candidate is a running service with what its callers need to know.
type candidate struct {
	*server
	token string // empty: access control is off
}

func (c *candidate) header() http.Header {
	h := http.Header{}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	return h
}

// A mode is how much of its telemetry a service runs with.
type mode int

const (
	telemetryOff  mode = iota
	metricsOnly        // over OTLP, too; no traces, no logs over OTLP
	everythingOn       // metrics, 5 % of the traces and logs over OTLP
	onToCollector      // the same, to a Collector
)

// env returns the variables that a mode is.
func (b *bench) env(m mode) []string {
	switch m {
	case telemetryOff:
		return []string{"OTEL_SDK_DISABLED=true"}
	case metricsOnly:
		return append(otlp(b.receiver), "OTEL_TRACES_SAMPLER=always_off", "OTEL_TRACES_EXPORTER=none", "OTEL_LOGS_EXPORTER=none")
	case onToCollector:
		return otlp(b.collector)
	}
	return otlp(b.receiver)
}

// otlp leads telemetry to a receiver, as the native stack does to its Collector.
func otlp(receiver string) []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + receiver, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_METRIC_EXPORT_INTERVAL=2000",
	}
}

// startService starts the service named name on a store that is there, guarded
// by access control or not.
func (b *bench) startService(ctx context.Context, name, binary, databaseURL string, m mode, guarded bool, args ...string) (*candidate, error) {
	var address, debug string
	if err := freeAddresses(&address, &debug); err != nil {
		return nil, err
	}
	c := &candidate{}
	if guarded {
		var err error
		if c.token, err = b.makeToken(ctx, databaseURL); err != nil {
			return nil, err
		}
	}
	command := []string{b.program(binary), "serve", "--listen=" + address, "--debug-listen=" + debug,
		"--database-url=" + databaseURL, "--write-rate=0"}
	s, err := b.start(ctx, program{
		name: name, command: append(command, args...), env: b.env(m),
		address: address, debug: debug, ready: "http://" + address + "/readyz", processor: b.processor,
	})
	c.server = s
	return c, err
}

// startBare starts net/http alone, or in otelhttp, with one answer.
func (b *bench) startBare(ctx context.Context, name, kind string, a answer) (*server, error) {
	var address, debug string
	if err := freeAddresses(&address, &debug); err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, name+".json")
	if err := a.write(file); err != nil {
		return nil, err
	}
	env := append(otlp(b.receiver), "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.05")
	return b.start(ctx, program{
		name: name, env: env, address: address, debug: debug, ready: "http://" + debug + "/debug/pprof/", processor: b.processor,
		command: []string{b.self, "serve", "--kind=" + kind, "--listen=" + address, "--debug-listen=" + debug, "--answer=" + file},
	})
}

// startCollector starts the Collector of the native stack, on the load's
// processor.
func (b *bench) startCollector(ctx context.Context) (*server, error) {
	var health, http, exporter, metrics string
	if err := freeAddresses(&b.collector, &health, &http, &exporter, &metrics); err != nil {
		return nil, err
	}
	return b.start(ctx, program{
		name:    "otelcol",
		command: []string{b.program("otelcol"), "--config", "observability/otel-collector.yml"},
		env: []string{"LISTEN_HOST=127.0.0.1", "COLLECTOR_LOG_LEVEL=warn", "OTLP_GRPC_PORT=" + port(b.collector),
			"OTLP_HTTP_PORT=" + port(http), "COLLECTOR_EXPORTER_PORT=" + port(exporter),
			"COLLECTOR_METRICS_PORT=" + port(metrics), "COLLECTOR_HEALTH_PORT=" + port(health)},
		ready: "http://" + health + "/", processor: loadCPU,
	})
}

// errNoEtcd tells that there is nothing to compare with.
var errNoEtcd = errors.New("etcd is not installed (Debian: apt install etcd-server), so it is not compared with")

// startEtcd starts one etcd with a store of its own, which flushes each write
// to the disk as it does by default.
func (b *bench) startEtcd(ctx context.Context) (*server, error) {
	path, err := exec.LookPath("etcd")
	if err != nil {
		return nil, errNoEtcd
	}
	var client, peer string
	if err := freeAddresses(&client, &peer); err != nil {
		return nil, err
	}
	return b.start(ctx, program{
		name: "etcd", address: client, debug: client, ready: "http://" + client + "/health",
		command: []string{path, "--data-dir=" + filepath.Join(b.dir, "etcd"), "--logger=zap", "--log-level=error", "--enable-pprof",
			"--listen-client-urls=http://" + client, "--advertise-client-urls=http://" + client,
			"--listen-peer-urls=http://" + peer, "--initial-advertise-peer-urls=http://" + peer,
			"--initial-cluster=default=http://" + peer},
	})
}

// start starts a program and stops it with the bench.
func (b *bench) start(ctx context.Context, p program) (*server, error) {
	s, err := p.start(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	b.servers = append(b.servers, s)
	return s, nil
}

// stop ends every server that still runs, the last started first.
func (b *bench) stop() error {
	var errs []error
	for _, s := range slices.Backward(b.servers) {
		errs = append(errs, s.stop())
	}
	b.servers = nil
	return errors.Join(errs...)
}

func (b *bench) program(name string) string { return filepath.Join(b.bin, name) }

func port(address string) string { return address[len("127.0.0.1:"):] }

// describe tells what etcd it is.
func describeEtcd(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "etcd", "--version").Output()
	if err != nil {
		return errNoEtcd.Error()
	}
	var version string
	fmt.Sscanf(string(out), "etcd Version: %s", &version)
	return "etcd " + version
}
