package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"configservice/observability/gate"
	"configservice/observability/internal/nativestack"
)

const (
	scrape     = 5 * time.Second // scrape_interval of prometheus.yml
	evaluation = 5 * time.Second // evaluation_interval of prometheus.yml
	allowance  = 30 * time.Second
	// The rules of objectives look 30 min back, others 5; what other scenes delay comes on top.
	longestClear = 35 * time.Minute
)

// errNotHere is why trouble cannot be provoked on this machine.
var errNotHere = errors.New("cannot be provoked here")

// An outcome is what became of one expectation.
type outcome struct {
	trouble, alert string
	model          time.Duration // after which it should fire
	fired, cleared time.Duration // since the trouble began and ended; 0: never
	skipped        error         // why it was not provoked; errNotHere where that is no fault
}

// A site is where scenes happen.
type site struct {
	*nativestack.Stack
	root string // of the project
	data string // directory of the stack
}

// drill plays the scenes one after the other. Alerts clear while later scenes go on.
func drill(ctx context.Context, root string, scenes []scene, progress io.Writer) (outcomes []*outcome, err error) {
	waits, err := ruleWaits(root)
	if err != nil {
		return nil, err
	}
	s, closeSite, err := openSite(ctx, root)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeSite()) }()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	var clearing sync.WaitGroup
	defer clearing.Wait()
	for _, scene := range scenes {
		played, end, err := s.play(ctx, scene, waits, progress)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, played...)
		for _, o := range played {
			if o.skipped == nil {
				clearing.Go(func() { s.seeClear(ctx, o, end, progress) })
			}
		}
	}
	clearing.Wait()
	return outcomes, ctx.Err()
}

// ready waits until rules are evaluated, and all targets have been scraped twice: what happens before
// is not seen.
func (s *site) ready(ctx context.Context) error {
	if err := s.await(ctx, "Watchdog", true, time.Minute); err != nil {
		return err
	}
	return poll(ctx, func() (bool, error) {
		scraped, err := s.Prometheus().Query(ctx, `min(count_over_time(up[1m])) >= 2`)
		return len(scraped) > 0, err
	})
}

// play provokes the trouble, waits until each of its alerts has fired or is too late, and ends it.
// It begins when none of them fires any more.
func (s *site) play(ctx context.Context, scene scene, waits map[string]time.Duration, progress io.Writer) (played []*outcome, ended time.Time, err error) {
	for _, e := range scene.alerts {
		if err := s.await(ctx, e.alert, false, longestClear); err != nil {
			return nil, ended, err
		}
		played = append(played, &outcome{trouble: scene.trouble, alert: e.alert, model: waits[e.alert] + scrape + evaluation + e.besides})
	}
	fmt.Fprintf(progress, "%s  %s\n", time.Now().Format(time.TimeOnly), scene.trouble)
	began := time.Now()
	end, err := scene.provoke(ctx, s)
	if err != nil {
		for _, o := range played {
			o.skipped = err
		}
		fmt.Fprintf(progress, "          not provoked: %v\n", err)
		return played, ended, ctx.Err()
	}
	err = s.seeFire(ctx, played, began, progress)
	if err := errors.Join(err, end()); err != nil {
		return nil, ended, fmt.Errorf("%s: %w", scene.trouble, err)
	}
	return played, time.Now(), nil
}

func (s *site) seeFire(ctx context.Context, awaited []*outcome, began time.Time, progress io.Writer) error {
	return poll(ctx, func() (bool, error) {
		firing, err := s.Prometheus().Firing(ctx)
		if err != nil {
			return false, err
		}
		waits := false
		for _, o := range awaited {
			since := time.Since(began)
			switch {
			case o.fired > 0:
			case firing[o.alert] > 0:
				o.fired = since
				fmt.Fprintf(progress, "          %s fires after %.0f s\n", o.alert, since.Seconds())
			default:
				waits = waits || since < o.model+allowance
			}
		}
		return !waits, nil
	})
}

func (s *site) seeClear(ctx context.Context, o *outcome, ended time.Time, progress io.Writer) {
	if o.fired > 0 && s.await(ctx, o.alert, false, longestClear) == nil {
		o.cleared = time.Since(ended)
		fmt.Fprintf(progress, "          %s has cleared after %.0f s\n", o.alert, o.cleared.Seconds())
	}
}

// await waits until an alert fires, or fires no more.
func (s *site) await(ctx context.Context, alert string, fires bool, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		firing, err := s.Prometheus().Firing(ctx)
		return (firing[alert] > 0) == fires, err
	})
	if err != nil {
		return fmt.Errorf("waiting %v for %s (to fire: %t): %w", patience, alert, fires, err)
	}
	return nil
}

func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ruleWaits are how long each alert's condition must hold ("for"); of an alert with several rules the
// shortest.
func ruleWaits(root string) (map[string]time.Duration, error) {
	rules, err := gate.ReadRules(filepath.Join(root, "observability", "rules"))
	if err != nil {
		return nil, err
	}
	waits := map[string]time.Duration{}
	for _, rule := range rules {
		if rule.Alert == "" {
			continue
		}
		wait := time.Duration(0)
		if rule.For != "" {
			if wait, err = time.ParseDuration(rule.For); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", rule.File, rule.Alert, err)
			}
		}
		if known, ok := waits[rule.Alert]; !ok || wait < known {
			waits[rule.Alert] = wait
		}
	}
	return waits, nil
}

// openSite starts a stack with limits that can be reached, its store on a small file system of its own where that
// can be had.
func openSite(ctx context.Context, root string) (*site, func() error, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "drill")
	if err != nil {
		return nil, nil, err
	}
	unmount, err := mountStore(dir)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	stack, err := nativestack.Start(ctx, nativestack.Options{Root: root, Dir: dir, Env: []string{
		fmt.Sprintf("CONFIG_SERVICE_MAX_WATCHERS=%d", maxWatchers),
		fmt.Sprintf("COLLECTOR_MEMORY_MIB=%d", collectorMiB),
	}})
	if err != nil {
		return nil, nil, errors.Join(err, unmount(), os.RemoveAll(dir))
	}
	return &site{stack, root, dir}, func() error {
		return errors.Join(stack.Stop(), unmount(), os.RemoveAll(dir))
	}, nil
}
