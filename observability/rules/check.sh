#!/bin/sh
# check.sh
# Holds the rules against Prometheus' own parser, their tests, and their runbooks: every alert has a
# page and a test in which it fires, every recorded series is tested, and no page or alert is left
# over.
set -eu
rules=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$rules/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

quiet() {
	"$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

# same NAME FILE FILE: the two sorted lists are one.
same() {
	if ! diff "$2" "$3" >"$work/diff"; then
		{ echo "$1:"; grep '^[<>]' "$work/diff"; } >&2
		failed=1
	fi
}

# names KEY: the values of a key that stands alone on a line, in the rules.
names() {
	sed -n "s/^ *- $1: *//p" "$rules"/*.yml | sort -u
}

quiet "$root/bin/promtool" check rules --lint=all --lint-fatal "$rules"/*.yml
quiet "$root/bin/promtool" test rules "$rules"/tests/*_test.yml

names alert >"$work/alerts"
names record >"$work/records"

(cd "$root/docs/runbooks" && ls -- *.md) | grep -v '^README.md$' | sed 's/\.md$//' | sort >"$work/pages"
same 'alerts (<) and pages of docs/runbooks (>) differ' "$work/alerts" "$work/pages"

# Each alert names its own page, in the one form.
awk '/^ *- alert: /{alert=$3} /^ *runbook_url: /{if ($2 != "docs/runbooks/" alert ".md") print alert ": " $2}' \
	"$rules"/*.yml >"$work/urls"
same 'runbook_url is not docs/runbooks/<Alert>.md' /dev/null "$work/urls"

# A test in which it fires has exp_alerts below its name.
awk '/alertname:/{name=$NF; sub(/}.*/, "", name)} /^ *exp_alerts: *$/{print name}' \
	"$rules"/tests/*_test.yml | sort -u >"$work/fired"
same 'alerts (<) and alerts that fire in a test (>) differ' "$work/alerts" "$work/fired"

cat "$rules"/tests/*_test.yml >"$work/tests"
while read -r record; do
	grep -qE "expr: .*$record([^a-z0-9_]|\$)" "$work/tests" || echo "$record"
done <"$work/records" >"$work/untested"
same 'recorded and never looked at in a test' /dev/null "$work/untested"

[ "$failed" = 0 ] || exit 1
echo "rules: $(wc -l <"$work/alerts") alerts and $(wc -l <"$work/records") recorded series, tested and with runbooks"
