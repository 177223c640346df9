#!/bin/sh
# generate.sh [check]
# Writes the Collector's sources from builder.yaml, with the Collector Builder of the same version.
# With "check" it writes nothing and fails when the sources here are not what builder.yaml asks for.
set -eu
cd "$(dirname "$0")"
export GOWORK=off

version=$(sed -n 's/^  version: //p' builder.yaml)
builder() { go run "go.opentelemetry.io/collector/cmd/builder@v$version" --skip-compilation "$@"; }

if [ "${1:-}" != check ]; then
	builder --config builder.yaml
	gofmt -w ./*.go # the builder's output is not
	exit
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
cp builder.yaml "$fresh"
(cd "$fresh" && builder --config builder.yaml --skip-get-modules && gofmt -w ./*.go) >"$fresh/log" 2>&1 ||
	{ cat "$fresh/log" >&2; exit 1; }

stale() { echo "observability/tools/otelcol: $1 is not what builder.yaml asks for; run: make tools-generate" >&2; exit 1; }
for source in "$fresh"/*.go; do
	diff -u "$(basename "$source")" "$source" >&2 || stale "$(basename "$source")"
done
# go.mod has more lines than the builder writes, but each of the builder's must be there.
sed -n 's/^  - gomod: //p' builder.yaml | while read -r module; do
	grep -qxF "	$module" go.mod || stale "go.mod (no line \"$module\")"
done
