#!/bin/sh
# build.sh PROGRAM
# Builds one upstream program from its leaf module into bin/PROGRAM and tells what it cost. The
# program appears under its name only when it is whole: a build that fails or is stopped leaves
# what was there before.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
bin=$tools/../../bin

# A workspace of the developer's, or flags of theirs, would change what is pinned here.
export GOWORK=off CGO_ENABLED=0 GOFLAGS=-buildvcs=false

# required MODULE prints the version of MODULE that the leaf in the current directory asks for.
required() { go list -m -f '{{.Version}}' "$1"; }

case $1 in
prometheus | promtool)
	cd "$tools/prometheus"
	package=github.com/prometheus/prometheus/cmd/$1
	pinned=$(required github.com/prometheus/prometheus)
	# The module of Prometheus 3.16.0 is v0.316.0.
	version=$(echo "$pinned" | sed -E 's/^v0\.([0-9])0?([0-9]+)\.([0-9]+)$/\1.\2.\3/')
	stamp=github.com/prometheus/common/version
	stamps="-X $stamp.Version=$version -X $stamp.Revision=$pinned"
	tags=remove_all_sd # the service discoveries of the clouds; that of files stays
	;;
otelcol)
	cd "$tools/otelcol"
	package=.
	pinned=$(required go.opentelemetry.io/collector/otelcol)
	version=${pinned#v}
	stamps= # the generated main.go says its version
	tags=
	;;
cadvisor)
	cd "$tools/cadvisor"
	package=.
	pinned=$(required github.com/google/cadvisor)
	version=${pinned#v}
	stamps="-X github.com/google/cadvisor/version.Version=$version"
	tags=
	;;
alertmanager)
	cd "$tools/alertmanager"
	package=github.com/prometheus/alertmanager/cmd/alertmanager
	pinned=$(required github.com/prometheus/alertmanager)
	version=${pinned#v}
	stamp=github.com/prometheus/common/version
	stamps="-X $stamp.Version=$version -X $stamp.Revision=$pinned"
	tags=
	;;
docker-compose)
	cd "$tools/compose"
	package=github.com/docker/compose/v2/cmd
	pinned=$(required github.com/docker/compose/v2)
	version=${pinned#v}
	stamps="-X github.com/docker/compose/v2/internal.Version=$pinned"
	tags=
	;;
*)
	echo "build.sh: no upstream program is called \"$1\"" >&2
	exit 2
	;;
esac

echo "  $1 $version: building ..."
mkdir -p "$bin"
new=$bin/.$1.$$
trap 'rm -f "$new"' EXIT
trap 'exit 130' INT TERM
started=$(date +%s)
go build -trimpath -tags "$tags" -ldflags "-s -w $stamps" -o "$new" "$package"
mv "$new" "$bin/$1"
echo "  $1 $version: built in $(($(date +%s) - started)) s, $(($(wc -c <"$bin/$1") / 1000000)) MB"
