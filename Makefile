# Targets with a "## help" comment are listed by `make`.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'
.PHONY: help

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

tools-check: tools ## check the upstream programs' configuration with the programs themselves
	@$(TOOLS)/check.sh
.PHONY: tools-check

tools-generate: ## write the Collector's sources anew from observability/tools/otelcol/builder.yaml
	@$(TOOLS)/otelcol/generate.sh
.PHONY: tools-generate
