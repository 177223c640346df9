package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// writePrometheusConfig fills dir with the configuration of both modes as it is
// (prometheus.yml and rules/) and with the targets of this stack: those of the
// native mode, each port shifted by offset.
func writePrometheusConfig(config, dir string, offset int) error {
	for _, stale := range []string{"rules", "targets"} {
		if err := os.RemoveAll(filepath.Join(dir, stale)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "targets"), 0o755); err != nil {
		return err
	}
	if err := rewrite(filepath.Join(config, "prometheus.yml"), filepath.Join(dir, "prometheus.yml"), asItIs); err != nil {
		return err
	}
	rules := filepath.Join(config, "rules")
	if err := os.CopyFS(filepath.Join(dir, "rules"), os.DirFS(rules)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeTargets(filepath.Join(config, "targets", "native"), filepath.Join(dir, "targets"), offset)
}

func writeTargets(from, to string, offset int) error {
	files, err := filepath.Glob(filepath.Join(from, "*.yml"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no targets (*.yml) in %s: Prometheus would have nothing to scrape", from)
	}
	shift := func(text []byte) ([]byte, error) { return shiftPorts(text, offset) }
	for _, file := range files {
		if err := rewrite(file, filepath.Join(to, filepath.Base(file)), shift); err != nil {
			return err
		}
	}
	return nil
}

func rewrite(from, to string, change func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if text, err = change(text); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, text, 0o644)
}

func asItIs(text []byte) ([]byte, error) { return text, nil }

// shiftPorts adds offset to the port of every address of this machine. It works
// on the text, not on the YAML, so that comments survive for the reader.
func shiftPorts(text []byte, offset int) ([]byte, error) {
	address := regexp.MustCompile(`\b(127\.0\.0\.1|localhost):(\d+)\b`)
	var fault error
	shifted := address.ReplaceAllFunc(text, func(match []byte) []byte {
		part := address.FindSubmatch(match)
		port, err := strconv.Atoi(string(part[2]))
		if err != nil || port+offset > 65535 {
			fault = fmt.Errorf("%s cannot be shifted by %d", match, offset)
		}
		return fmt.Appendf(nil, "%s:%d", part[1], port+offset)
	})
	return shifted, fault
}
