# Targets with a "## help" comment are listed by `make`.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'
.PHONY: help

# --- our own programs; go itself knows what has to be built anew ---
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED ?= 0

run: build bin/prometheus bin/otelcol bin/cadvisor ## run the service and its whole telemetry natively, until Ctrl-C
	@bin/stack
.PHONY: run

build: ## build our own programs into bin/
	@mkdir -p bin
	@go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/config-service ./svc
	@go build -trimpath -o bin/stack ./observability/stack
	@go build -trimpath -o bin/loadtest ./observability/loadtest
	@go build -trimpath -o bin/viewer ./observability/viewer
.PHONY: build

# Packages run one after the other: some of their tests measure how fast things are.
test: build tools tools-check viewer-check ## run every test, and install or build what they need: what CI runs
	@scripts/test-deps browser
	@echo "building the tests, with the race detector"
	@CGO_ENABLED=1 go test -race -run XXX ./... >/dev/null
	CGO_ENABLED=1 go test -race -p 1 -timeout 15m ./...
	go test -tags browser -count=1 -timeout 10m ./observability/viewer
	@$(MAKE) --no-print-directory verify-scenarios verify-mutations test-docker
.PHONY: test

test-long: build ## the long forms: 1,000 kills of the service, 250 of PostgreSQL and the service on it
	go test -timeout 2h -v -run Acknowledged ./svc -kill-cycles 1000
.PHONY: test-long

fuzz: ## fuzz everything that takes what strangers send, one target after the other; FUZZTIME=30s each
	@scripts/fuzz $(or $(FUZZTIME),30s)
.PHONY: fuzz

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

check: ## the one gate: format, vet, lint, then every test
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	go vet ./...
	go vet -tags docker ./observability/dockertest
	go vet -tags live ./observability/loadtest
	go vet -tags browser ./observability/viewer
	GOOS=darwin go vet ./...
	go run $(STATICCHECK) ./...
	go mod tidy -diff
	@$(MAKE) --no-print-directory test
.PHONY: check

SCENARIO ?= baseline

load-test: build ## put what runs here (make run) under load and verify what its telemetry tells: SCENARIO=baseline
	@bin/loadtest run $(SCENARIO)
.PHONY: load-test

verify-mutations: build tools ## break the pipeline of a throw-away stack in 20 ways; the verifier must notice each
	go test -tags live -count=1 -timeout 15m -v -run 'TestAMutationOfThePipelineSurvives|TestADeadAlertSurvives' ./observability/loadtest
.PHONY: verify-mutations

verify-scenarios: build tools ## put a throw-away stack under the short form of each scenario; every claim must be true
	go test -tags live -count=1 -timeout 15m -v -run TestWhatTheTelemetryTells ./observability/loadtest
.PHONY: verify-scenarios

bench-watch: build ## 10,000 watchers of one service: how fast changes reach them, and what they cost
	@go run ./svc/internal/watch/benchwatch -service bin/config-service
.PHONY: bench-watch

bench: build bin/otelcol ## what a request costs, next to bare net/http, otelhttp and etcd; PLAN=reads|writes|scale, ROUNDS=, TURN=
	@scripts/bench-deps
	@[ "$(PLAN)" != writes ] || go build -trimpath -ldflags "-s -w" -tags onecommit -o bin/config-service-onecommit ./svc
	@go build -o bin/bench ./svc/bench
	@bin/bench $(or $(PLAN),reads) --rounds $(or $(ROUNDS),5) --turn $(or $(TURN),2s) --json bench.json
.PHONY: bench

bench-overhead: build ## what telemetry costs a request: off, metrics, all on, and under otelhttp
	@go build -trimpath -ldflags "-s -w" -tags otelhttp -o bin/config-service-otelhttp ./svc
	@go build -o bin/bench ./svc/bench
	@bin/bench overhead --rounds $(or $(ROUNDS),10) --turn $(or $(TURN),1s) --json bench-overhead.json
.PHONY: bench-overhead

# --- Docker ---
ENV_FILE ?= observability/.env
export COMPOSE_FILE ?= observability/docker-compose.yml
# Prometheus is told of the replicas when there are any.
PROFILE ?=
export COMPOSE_PROFILES ?= $(PROFILE)
export SERVICE_TARGETS ?= $(if $(findstring replicas,$(COMPOSE_PROFILES)),replicas,docker)
export VERSION
COMPOSE := docker compose --env-file $(ENV_FILE)

wants-docker:
	@docker compose version >/dev/null 2>&1 || { echo "this wants Docker with Compose 2; make run wants neither" >&2; exit 1; }
.PHONY: wants-docker

wants-up: wants-docker
	@[ -e $(ENV_FILE) ] || { echo "make up was never run here: there is no $(ENV_FILE)" >&2; exit 1; }
.PHONY: wants-up

up: wants-docker ## run all of it in Docker, in the background; PROFILE=replicas: three replicas and a proxy
	@[ -z "$(filter-out replicas,$(PROFILE))" ] || { echo "PROFILE=$(PROFILE): there is only the profile replicas" >&2; exit 1; }
	@observability/docker/env.sh $(ENV_FILE)
	@$(COMPOSE) up --detach --build --wait --wait-timeout 300
	@$(MAKE) --no-print-directory status
	@echo "dashboards: http://localhost:$${PORT_GRAFANA:-3001} (what to do with them, and more: observability/README.md)"
.PHONY: up

down: wants-up ## stop what make up has started; the data stay
	@$(COMPOSE) --profile '*' down
.PHONY: down

status: wants-up ## show the containers, their health and ports
	@$(COMPOSE) ps --all --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'
.PHONY: status

logs: wants-up ## follow the containers' logs; SERVICE=prometheus: of one
	@$(COMPOSE) logs --follow --tail 100 $(SERVICE)
.PHONY: logs

restart: wants-up ## restart the containers; SERVICE=prometheus: one, for example after its configuration changed
	@$(COMPOSE) restart $(SERVICE)
.PHONY: restart

reset: wants-up ## stop it and delete its data, after asking: configurations, metrics, Grafana's state
	@read -r -p "Delete every configuration, metric and dashboard state of make up? Type yes: " answer; \
		[ "$$answer" = yes ] || { echo "nothing was deleted"; exit 1; }
	@$(COMPOSE) --profile '*' down --volumes
.PHONY: reset

dashboards: ## open the dashboards, of make up or make run, in the browser
	@url=http://localhost:$${PORT_GRAFANA:-3001}; echo $$url; \
		(command -v xdg-open >/dev/null && exec xdg-open $$url || exec open $$url) >/dev/null 2>&1 || true
.PHONY: dashboards

validate: ## say whether all of make up, or of make run, works and data flows
	@go run ./observability/validate --env-file $(ENV_FILE)
.PHONY: validate

# Its own programs are built where it can run; elsewhere it says that it cannot.
test-docker: build ## test Docker mode with real containers, in an engine of its own: wants root
	@scripts/test-deps docker
	@[ "$$(id -u)" != 0 ] || $(MAKE) --no-print-directory tools bin/alertmanager bin/docker-compose
	go test -tags docker -count 1 -timeout 15m -v ./observability/dockertest
.PHONY: test-docker

clean: ## delete what was built; data/ stays
	rm -rf bin
.PHONY: clean

dashboards-generate: ## write the Grafana dashboards anew from observability/dashboards
	@go run ./observability/dashboards
.PHONY: dashboards-generate

catalogue: build tools ## write the catalogue of metrics anew from a live stack under load
	go test ./observability/gate -run UnderLoad -update -v
.PHONY: catalogue

drill: build tools ## provoke the trouble of each alert, and see it fire and clear: 40 minutes
	@go run ./observability/drill
.PHONY: drill

# --- tools: the upstream programs, each from its leaf module under observability/tools ---
TOOLS := observability/tools

tools: bin/prometheus bin/promtool bin/otelcol bin/cadvisor ## build the upstream programs into bin/, where they are not yet
	@echo "tools: prometheus, promtool, otelcol and cadvisor are in bin/"
.PHONY: tools

bin/prometheus: $(TOOLS)/prometheus/go.mod $(TOOLS)/prometheus/go.sum $(TOOLS)/build.sh
	@$(TOOLS)/build.sh prometheus

# After prometheus, whose packages it shares: side by side, both would compile them.
bin/promtool: bin/prometheus
	@$(TOOLS)/build.sh promtool

bin/otelcol: $(wildcard $(TOOLS)/otelcol/*.go) $(TOOLS)/otelcol/go.mod $(TOOLS)/otelcol/go.sum $(TOOLS)/build.sh
	@$(TOOLS)/build.sh otelcol

bin/cadvisor: $(TOOLS)/cadvisor/main.go $(TOOLS)/cadvisor/go.mod $(TOOLS)/cadvisor/go.sum $(TOOLS)/build.sh
	@$(TOOLS)/build.sh cadvisor

# These two are for the test of Docker mode only.
bin/alertmanager: $(TOOLS)/alertmanager/go.mod $(TOOLS)/alertmanager/go.sum $(TOOLS)/build.sh
	@$(TOOLS)/build.sh alertmanager

bin/docker-compose: $(TOOLS)/compose/go.mod $(TOOLS)/compose/go.sum $(TOOLS)/build.sh
	@$(TOOLS)/build.sh docker-compose

tools-check: tools ## check the upstream programs' configuration with the programs themselves
	@$(TOOLS)/check.sh
.PHONY: tools-check

tools-generate: ## write the Collector's sources anew from observability/tools/otelcol/builder.yaml
	@$(TOOLS)/otelcol/generate.sh
.PHONY: tools-generate

# --- viewer: its web app, built from observability/viewer/web into dist/, which is committed ---
WEB := observability/viewer/web

viewer-assets: $(WEB)/node_modules ## build the viewer's web app anew (wants node 20 and npm 11)
	@cd $(WEB) && npm run --silent format && npm run --silent check && npm run --silent build
.PHONY: viewer-assets

test-browser: build tools ## test the viewer's pages in headless Chromium, also on a live stack under load
	@scripts/test-deps browser
	go test -tags browser -count=1 -timeout 10m -v ./observability/viewer
.PHONY: test-browser

screenshots: build tools ## take the pictures in docs/images anew, of a live stack under load: five minutes
	@scripts/test-deps browser
	@mkdir -p docs/images
	go test -tags browser -count=1 -timeout 15m -v -run UnderLoad ./observability/viewer -pictures ../../docs/images
.PHONY: screenshots

viewer-check: ## check the viewer's web app, and that what is committed is what it builds
	@scripts/viewer-check
.PHONY: viewer-check

$(WEB)/node_modules: $(WEB)/package.json $(WEB)/package-lock.json
	@cd $(WEB) && npm ci --no-progress --loglevel error
	@touch $@
