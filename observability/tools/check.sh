#!/bin/sh
# check.sh
# Holds the upstream programs' configuration against the programs themselves, for both modes, and
# the generated and the hand-written sources of this directory against their rules.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
observability=$(dirname "$tools")
bin=$tools/../../bin
export GOWORK=off

"$tools/otelcol/generate.sh" check
(cd "$tools/cadvisor" && go vet ./... && go test ./...)

"$bin/otelcol" validate --config "$observability/otel-collector.yml"

# The targets come to lie beside prometheus.yml, so that is how they are checked.
config=$(mktemp -d)
trap 'rm -rf "$config"' EXIT
for mode in native docker; do
	rm -rf "$config/targets"
	cp -R "$observability/prometheus.yml" "$config"
	cp -R "$observability/targets/$mode" "$config/targets"
	[ ! -d "$observability/rules" ] || cp -R "$observability/rules" "$config"
	"$bin/promtool" check config --lint=all --lint-fatal "$config/prometheus.yml" >"$config/log" 2>&1 ||
		{ cat "$config/log" >&2; exit 1; }
	# A job without its target file is told as a warning only; natively two have none.
	absent=none
	[ "$mode" = docker ] || absent='/targets/(alertmanager|grafana).yml" for file_sd'
	if grep WARNING "$config/log" | grep -vE "$absent" >&2; then exit 1; fi
	echo "prometheus.yml with the $mode targets: good"
done

"$observability/rules/check.sh"
