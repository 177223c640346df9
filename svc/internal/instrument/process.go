package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/processconv"
)

// processUsage is what the operating system says about this process.
type processUsage struct {
	user, system      float64 // seconds of CPU
	resident, virtual int64   // bytes
	descriptors       int64
}

// Process shows the CPU time, memory, file descriptors and uptime of this
// process as process.*, whenever somebody collects. It reads Linux's /proc;
// where there is none, one line in the log says so and the metrics are absent.
func Process(p Providers) error {
	usage, started, err := openProcess()
	if err != nil {
		p.Logger.Info("no metrics of the process: this system does not tell", "reason", err)
		return nil
	}
	return observeProcess(p, usage, started)
}

func observeProcess(p Providers, usage func() (processUsage, error), started time.Time) error {
	m := p.meter()
	cpu, err1 := processconv.NewCPUTime(m)
	resident, err2 := processconv.NewMemoryUsageObservable(m)
	virtual, err3 := processconv.NewMemoryVirtualObservable(m)
	descriptors, err4 := processconv.NewUnixFileDescriptorCountObservable(m)
	uptime, err5 := processconv.NewUptimeObservable(m)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	user := metric.WithAttributes(cpu.AttrCPUMode(processconv.CPUModeUser))
	system := metric.WithAttributes(cpu.AttrCPUMode(processconv.CPUModeSystem))
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(uptime.Inst(), seconds(time.Since(started)))
		u, err := usage()
		if err != nil {
			otel.Handle(err) // returned, it would make the SDK drop the whole export
			return nil
		}
		o.ObserveFloat64(cpu.Inst(), u.user, user)
		o.ObserveFloat64(cpu.Inst(), u.system, system)
		o.ObserveInt64(resident.Inst(), u.resident)
		o.ObserveInt64(virtual.Inst(), u.virtual)
		o.ObserveInt64(descriptors.Inst(), u.descriptors)
		return nil
	}, cpu.Inst(), resident.Inst(), virtual.Inst(), descriptors.Inst(), uptime.Inst())
	return err
}
