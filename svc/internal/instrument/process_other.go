//go:build !linux

package instrument

import (
	"errors"
	"time"
)

// openProcess fails: only Linux has the /proc that the metrics come from.
func openProcess() (func() (processUsage, error), time.Time, error) {
	return nil, time.Time{}, errors.New("there is no Linux /proc here")
}
