package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"configservice/observability/internal/prom"
)

// A pipeline is what is validated.
type pipeline struct {
	host       string
	settings   map[string]string
	dashboards string
	firstRead  time.Duration // until Prometheus must have read every target once
	client     *http.Client
}

func newPipeline(o options) *pipeline {
	p := &pipeline{host: o.settings["PUBLISH_ON"], settings: o.settings, dashboards: o.dashboards, firstRead: 15 * time.Second}
	if ip := net.ParseIP(p.host); p.host == "" || ip != nil && ip.IsUnspecified() {
		p.host = "127.0.0.1"
	}
	p.client = &http.Client{Timeout: 5 * time.Second}
	return p
}

// A check finds out one thing. It returns what it has found, or in the error
// what is wrong and what may help.
type check struct {
	name string
	look func(context.Context) (finding string, err error)
}

func (p *pipeline) checks() []check {
	return []check{
		{"service", p.answers("PORT_CONFIG_SERVICE", "/readyz")},
		{"OTLP gRPC", p.accepts("PORT_OTLP_GRPC")},
		{"OTLP HTTP", p.takesOTLP},
		{"collector", p.answers("PORT_COLLECTOR_EXPORTER", "/metrics")},
		{"cadvisor", p.answers("PORT_CADVISOR", "/healthz")},
		{"prometheus", p.answers("PORT_PROMETHEUS", "/-/ready")},
		{"targets", p.targetsAreUp},
		{"rules", p.rulesAreEvaluated},
		{"alertmanager", p.alertsAreSent},
		{"containers", p.containersHaveNames},
		{"data flows", p.dataFlow},
		{"dashboards", p.dashboardsAnswer},
		{"data source", p.dataSourceWorks},
		{"provisioned", p.dashboardsAreThere},
	}
}

func (p *pipeline) address(port string) string { return net.JoinHostPort(p.host, p.settings[port]) }

func (p *pipeline) url(port, path string) string { return "http://" + p.address(port) + path }

// answers is the check that a URL is answered with 200.
func (p *pipeline) answers(port, path string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		err := p.get(ctx, port, path, nil)
		return p.url(port, path), err
	}
}

// accepts is the check that somebody listens.
func (p *pipeline) accepts(port string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		d := net.Dialer{Timeout: p.client.Timeout}
		conn, err := d.DialContext(ctx, "tcp", p.address(port))
		if err != nil {
			return "", unreachable(p.address(port), err)
		}
		return p.address(port), conn.Close()
	}
}

// takesOTLP sends metrics, none, as a program would.
func (p *pipeline) takesOTLP(ctx context.Context) (string, error) {
	url := p.url("PORT_OTLP_HTTP", "/v1/metrics")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = p.do(req)
	return url, err
}

// get asks for what is to be answered with 200, and decodes it into answer,
// unless that is nil, as JSON.
func (p *pipeline) get(ctx context.Context, port, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url(port, path), nil)
	if err != nil {
		return err
	}
	return p.decode(req, answer)
}

func (p *pipeline) decode(req *http.Request, answer any) error {
	body, err := p.do(req)
	if err != nil || answer == nil {
		return err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%s: %w", req.URL, err)
	}
	return nil
}

// getSignedIn is get from the dashboards, as Grafana's administrator where the
// password is known.
func (p *pipeline) getSignedIn(ctx context.Context, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url("PORT_GRAFANA", path), nil)
	if err != nil {
		return err
	}
	if password := p.settings["GRAFANA_ADMIN_PASSWORD"]; password != "" {
		req.SetBasicAuth(cmp.Or(p.settings["GRAFANA_ADMIN_USER"], "admin"), password)
	}
	return p.decode(req, answer)
}

func (p *pipeline) do(req *http.Request) (body []byte, err error) {
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, unreachable(req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %.200s", req.URL, resp.Status, body)
	}
	return body, err
}

// unreachable says in one line what was tried in vain; the URL of a query alone
// would take two.
func unreachable(address string, err error) error {
	var cause *net.OpError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Errorf("nothing answers at %s (%w): make up or make run starts it", address, err)
}

// query asks Prometheus.
func (p *pipeline) query(ctx context.Context, expr string) ([]prom.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, p.client.Timeout)
	defer cancel()
	samples, err := prom.Client{URL: p.url("PORT_PROMETHEUS", "")}.Query(ctx, expr)
	if _, ok := errors.AsType[*net.OpError](err); ok {
		err = unreachable(p.address("PORT_PROMETHEUS"), err)
	}
	return samples, err
}

// alertmanagers are those that Prometheus sends alerts to: one in Docker, none
// natively.
func (p *pipeline) alertmanagers(ctx context.Context) (urls []string, err error) {
	var answer struct {
		Data struct {
			Active []struct{ URL string } `json:"activeAlertmanagers"`
		}
	}
	err = p.get(ctx, "PORT_PROMETHEUS", "/api/v1/alertmanagers", &answer)
	for _, a := range answer.Data.Active {
		urls = append(urls, a.URL)
	}
	return urls, err
}

func (p *pipeline) alertsAreSent(ctx context.Context) (string, error) {
	urls, err := p.alertmanagers(ctx)
	if err != nil {
		return "", err
	}
	if len(urls) == 0 {
		return "none: natively, alerts are in Prometheus only", nil
	}
	var alerts []struct{ Labels map[string]string }
	if err := p.get(ctx, "PORT_ALERTMANAGER", "/api/v2/alerts?filter=alertname=Watchdog", &alerts); err != nil {
		return "", err
	}
	if len(alerts) == 0 {
		return "", errors.New("it has not got the Watchdog, which always fires: wait a minute, then see the logs of prometheus")
	}
	return "has got the Watchdog", nil
}
