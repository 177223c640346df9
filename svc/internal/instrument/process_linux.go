package instrument

import (
	"time"

	"github.com/prometheus/procfs"
)

// ticksPerSecond is the unit of CPU times in /proc, fixed by Linux's user
// interface.
const ticksPerSecond = 100

// openProcess returns a function that reads this process's usage, and when the
// process started.
func openProcess() (func() (processUsage, error), time.Time, error) {
	proc, err := procfs.Self()
	if err != nil {
		return nil, time.Time{}, err
	}
	stat, err := proc.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	started, err := stat.StartTime()
	if err != nil {
		return nil, time.Time{}, err
	}
	usage := func() (processUsage, error) { return readProcess(proc) }
	return usage, time.UnixMilli(int64(started * 1000)), nil
}

func readProcess(proc procfs.Proc) (processUsage, error) {
	stat, err := proc.Stat()
	if err != nil {
		return processUsage{}, err
	}
	descriptors, err := proc.FileDescriptorsLen()
	if err != nil {
		return processUsage{}, err
	}
	return processUsage{
		user:        float64(stat.UTime) / ticksPerSecond,
		system:      float64(stat.STime) / ticksPerSecond,
		resident:    int64(stat.ResidentMemory()),
		virtual:     int64(stat.VirtualMemory()),
		descriptors: int64(descriptors),
	}, nil
}
