//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// fixedRate is how many requests a second the p99 is compared at: well below
// what any of the services can do, as in production.
const fixedRate = 5000

// overhead compares one service with more and more of its telemetry, and with
// OpenTelemetry's own middleware in place of ours. All have access control,
// which is no telemetry.
func (b *bench) overhead(ctx context.Context) error {
	if err := b.startReceiver(ctx); err != nil {
		return err
	}
	b.processor = serverCPU
	defer func() { b.processor = "" }()
	free := contest{name: fmt.Sprintf("telemetry's share: hot read by id, %d connections", connections)}
	paced := contest{name: fmt.Sprintf("telemetry's share: the same at %d requests/s", fixedRate)}
	for _, v := range []struct {
		name, binary string
		mode         mode
	}{
		{"telemetry off", "config-service", telemetryOff},
		{"metrics only", "config-service", metricsOnly},
		{"everything on", "config-service", everythingOn},
		{"everything on, in otelhttp", "config-service-otelhttp", everythingOn},
	} {
		e, err := b.readerOf(ctx, v.name, v.binary, v.mode)
		if err != nil {
			return err
		}
		free.entries = append(free.entries, e)
		e.load.Rate = fixedRate
		paced.entries = append(paced.entries, e)
	}
	won, err := b.hold(ctx, free)
	if err != nil {
		return err
	}
	kept, err := b.hold(ctx, paced)
	if err != nil {
		return err
	}
	b.report.hold("telemetry's share: CPU per request, everything on to off", 1.10, false, won.find("everything on"), &won.Rows[0], by(cpuMicros))
	b.report.hold("telemetry's share: p99 at a fixed rate, everything on to off", 1.05, false, kept.find("everything on"), &kept.Rows[0], ratioP99)
	return errors.Join(b.account(ctx, free.entries[2].server, free.entries[3].server), b.stop())
}

// readerOf starts a service and returns it with a hot read as its load.
func (b *bench) readerOf(ctx context.Context, name, binary string, m mode) (entry, error) {
	url, err := b.fillSQLite(ctx, fileName(name), smallStore)
	if err != nil {
		return entry{}, err
	}
	c, err := b.startService(ctx, fileName(name), binary, url, m, true)
	if err != nil {
		return entry{}, err
	}
	ids, err := c.ids(ctx, 1)
	if err != nil {
		return entry{}, err
	}
	return entry{name, c.server, reading(always(encode("GET", configurationPath(ids[0]), c.header(), "")), http.StatusOK)}, nil
}
