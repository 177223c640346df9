//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"configservice/svc/bench/load"
)

// profileTime is how long a profile is taken for.
const profileTime = 5 * time.Second

// profile gives each entry one more turn, in which nothing is measured, and
// keeps its CPU profile in dir.
func (c contest) profile(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, e := range c.entries {
		if e.server.debug == "" {
			continue
		}
		if err := e.profile(ctx, filepath.Join(dir, fileName(c.name)+"_"+fileName(e.name)+".pprof")); err != nil {
			return fmt.Errorf("%s, %s: %w", c.name, e.name, err)
		}
	}
	return nil
}

// fileName makes a name of letters, digits and hyphens of any text.
func fileName(text string) string {
	words := strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return strings.Join(words, "-")
}

func (e entry) profile(ctx context.Context, file string) error {
	taken := make(chan error, 1)
	go func() {
		url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", e.server.debug, int(profileTime.Seconds()))
		text, err := fetch(ctx, url)
		if err == nil {
			err = os.WriteFile(file, text, 0o644)
		}
		taken <- err
	}()
	_, err := load.Run(e.loadFor(profileTime))
	if failure := <-taken; failure != nil {
		return failure
	}
	return orCause(ctx, err)
}
