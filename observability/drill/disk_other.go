//go:build !linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
)

func storeDir(data string) string { return filepath.Join(data, "config-service") }

func mountStore(string) (unmount func() error, err error) { return func() error { return nil }, nil }

func tightDisk(context.Context, *site) (func() error, error) {
	return nil, fmt.Errorf("%w: it needs Linux", errNotHere)
}
