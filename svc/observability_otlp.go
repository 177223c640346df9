package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"configservice/svc/internal/otlp"
)

// overOTLP tells whether a signal goes to a receiver of OTLP, as it does unless
// told otherwise.
func overOTLP(signal string) bool {
	name := os.Getenv("OTEL_" + signal + "_EXPORTER")
	return name == "" || name == "otlp"
}

func protocolOf(signal string) string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
}

// limitsFromEnv reads the variables that begin with prefix, as the SDK does.
func limitsFromEnv(prefix string, otherwise otlp.Limits) (otlp.Limits, error) {
	var errs []error
	number := func(name string, otherwise int) int {
		name = prefix + name
		n, err := strconv.Atoi(cmp.Or(envWord(name), strconv.Itoa(otherwise)))
		if err != nil || n <= 0 {
			errs = append(errs, fmt.Errorf("%s is %q: it must be a whole number above 0", name, envWord(name)))
		}
		return n
	}
	milliseconds := func(name string, otherwise time.Duration) time.Duration {
		return time.Duration(number(name, int(otherwise.Milliseconds()))) * time.Millisecond
	}
	l := otlp.Limits{
		Queue:   number("MAX_QUEUE_SIZE", otherwise.Queue),
		Batch:   number("MAX_EXPORT_BATCH_SIZE", otherwise.Batch),
		Delay:   milliseconds("SCHEDULE_DELAY", otherwise.Delay),
		Timeout: milliseconds("EXPORT_TIMEOUT", otherwise.Timeout),
	}
	return l, errors.Join(errs...)
}
