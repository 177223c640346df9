# Targets with a "## help" comment are listed by `make`.
.DEFAULT_GOAL := help
SHELL := /bin/bash -o pipefail

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'
.PHONY: help
