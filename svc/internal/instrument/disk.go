package instrument

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Disk shows what usage tells, each time somebody collects, as
// config.store.disk.available and config.store.disk.capacity: how much of the
// file system that the store is on can still be written to, and how large it
// is. While usage fails there is no sample. A nil usage, of a store that is not
// on a disk of this machine, shows nothing.
func Disk(p Providers, usage func() (available, capacity int64, err error)) error {
	if usage == nil {
		return nil
	}
	m := p.meter()
	available, err1 := m.Int64ObservableGauge("config.store.disk.available", metric.WithUnit("By"),
		metric.WithDescription("Space that the store can still use on its file system."))
	capacity, err2 := m.Int64ObservableGauge("config.store.disk.capacity", metric.WithUnit("By"),
		metric.WithDescription("Size of the file system that the store is on."))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		left, size, err := usage()
		if err != nil {
			otel.Handle(err) // returned, it would make the SDK drop the whole export
			return nil
		}
		o.ObserveInt64(available, left)
		o.ObserveInt64(capacity, size)
		return nil
	}, available, capacity)
	return err
}
