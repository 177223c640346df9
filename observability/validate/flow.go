package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"configservice/observability/internal/dashboard"
)

// targetsAreUp waits until each target was read once: after a start, that takes
// Prometheus some seconds.
func (p *pipeline) targetsAreUp(ctx context.Context) (string, error) {
	var answer struct {
		Data struct {
			Active []struct {
				Health, LastError string
				Labels            map[string]string
			} `json:"activeTargets"`
		}
	}
	var down []string
	err := until(ctx, p.firstRead, func() (bool, error) {
		err := p.get(ctx, "PORT_PROMETHEUS", "/api/v1/targets?state=active", &answer)
		down = nil
		unread := len(answer.Data.Active) == 0
		for _, t := range answer.Data.Active {
			unread = unread || t.Health == "unknown"
			if t.Health != "up" {
				down = append(down, fmt.Sprintf("%s at %s (%s)", t.Labels["job"], t.Labels["instance"], cmp.Or(t.LastError, "not read yet")))
			}
		}
		return !unread, err
	})
	n := len(answer.Data.Active)
	switch {
	case err != nil:
		return "", err
	case n == 0:
		return "", errors.New("none are known to Prometheus: see its target files")
	case len(down) > 0:
		slices.Sort(down)
		return "", fmt.Errorf("down: %s", strings.Join(down, ", "))
	}
	return fmt.Sprintf("%d of %d are up", n, n), nil
}

// until asks until the answer is yes or an error, or the patience is over.
func until(ctx context.Context, patience time.Duration, ask func() (bool, error)) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for started := time.Now(); ; {
		if done, err := ask(); done || err != nil || time.Since(started) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

func (p *pipeline) rulesAreEvaluated(ctx context.Context) (string, error) {
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError, State string }
			}
		}
	}
	if err := p.get(ctx, "PORT_PROMETHEUS", "/api/v1/rules", &answer); err != nil {
		return "", err
	}
	rules := 0
	var firing, faults []string
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			rules++
			if r.Health == "err" {
				faults = append(faults, r.Name+": "+r.LastError)
			}
			if r.State == "firing" && r.Name != "Watchdog" {
				firing = append(firing, r.Name)
			}
		}
	}
	switch {
	case len(faults) > 0:
		return "", errors.New(strings.Join(faults, "; "))
	case rules == 0:
		return "", errors.New("no rules are loaded by Prometheus: see its rules/ directory")
	case len(firing) > 0:
		return fmt.Sprintf("%d rules; these alerts fire: %s", rules, strings.Join(firing, ", ")), nil
	}
	return fmt.Sprintf("%d rules; no alert fires but the Watchdog", rules), nil
}

func (p *pipeline) containersHaveNames(ctx context.Context) (string, error) {
	samples, err := p.query(ctx, `count by (name) (container_cpu_usage_seconds_total{name!=""})`)
	if err != nil {
		return "", err
	}
	var names []string
	for _, s := range samples {
		names = append(names, s.Labels["name"])
	}
	if len(names) > 0 {
		slices.Sort(names)
		return strings.Join(names, ", "), nil
	}
	docker, err := p.alertmanagers(ctx)
	if err == nil && len(docker) > 0 {
		err = errors.New("cAdvisor knows no container by its name: see its logs, and DOCKER_DATA_ROOT in .env.example")
	}
	return "none: the native stack could make no control groups", err
}

// patience is for how long a request may stay unseen.
const patience = 30 * time.Second

// dataFlow sends a request and waits until both paths have counted it.
func (p *pipeline) dataFlow(ctx context.Context) (string, error) {
	const counted = `sum by (via) (http_server_request_duration_seconds_count{http_route="/api/v1/config/{application}/{configuration}"})`
	before, err := p.byPath(ctx, counted)
	if err != nil {
		return "", err
	}
	started := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url("PORT_CONFIG_SERVICE", "/api/v1/config/validate/validate"), nil)
	if err != nil {
		return "", err
	}
	resp, err := p.client.Do(req) // 404, or 401 where tokens are needed
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	var missing []string
	err = until(ctx, patience, func() (bool, error) {
		now, err := p.byPath(ctx, counted)
		missing = nil
		for _, via := range []string{"direct", "collector"} {
			if now[via] <= before[via] {
				missing = append(missing, via)
			}
		}
		return len(missing) == 0, err
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("a request was not counted within %s by the path %s: see the targets above", patience, strings.Join(missing, ", "))
	}
	return fmt.Sprintf("a request was counted by both paths within %.1f s", time.Since(started).Seconds()), err
}

func (p *pipeline) byPath(ctx context.Context, expr string) (map[string]float64, error) {
	samples, err := p.query(ctx, expr)
	counts := map[string]float64{}
	for _, s := range samples {
		counts[s.Labels["via"]] = s.Value
	}
	return counts, err
}

// isGrafana tells Grafana, in Docker, from the viewer.
func (p *pipeline) isGrafana(ctx context.Context) (bool, error) {
	if err := p.get(ctx, "PORT_GRAFANA", "/api/health", nil); err == nil {
		return true, nil
	}
	err := p.get(ctx, "PORT_GRAFANA", "/healthz", nil)
	return false, err
}

func (p *pipeline) dashboardsAnswer(ctx context.Context) (string, error) {
	grafana, err := p.isGrafana(ctx)
	switch {
	case err != nil:
		return "", err
	case grafana:
		return "Grafana at " + p.url("PORT_GRAFANA", "/"), nil
	}
	return "the viewer at " + p.url("PORT_GRAFANA", "/"), nil
}

func (p *pipeline) dataSourceWorks(ctx context.Context) (string, error) {
	grafana, err := p.isGrafana(ctx)
	if err != nil {
		return "", err
	}
	path := "/api/prometheus/api/v1/query?query=up"
	if grafana {
		path = "/api/datasources/proxy/uid/prometheus/api/v1/query?query=up"
	}
	var answer struct{ Data struct{ Result []any } }
	if err := p.getSignedIn(ctx, path, &answer); err != nil {
		return "", err
	}
	if len(answer.Data.Result) == 0 {
		return "", errors.New("it answers, and has no data")
	}
	return fmt.Sprintf("the dashboards see %d targets", len(answer.Data.Result)), nil
}

func (p *pipeline) dashboardsAreThere(ctx context.Context) (string, error) {
	grafana, err := p.isGrafana(ctx)
	if err != nil {
		return "", err
	}
	boards, err := dashboard.Load(p.dashboards)
	if err != nil {
		return "", err
	}
	path := "/api/dashboards/"
	if grafana {
		path = "/api/dashboards/uid/"
	}
	var uids []string
	for _, b := range boards {
		if err := p.getSignedIn(ctx, path+b.UID, nil); err != nil {
			return "", err
		}
		uids = append(uids, b.UID)
	}
	return strings.Join(uids, ", "), nil
}
