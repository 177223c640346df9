#!/bin/sh
# docker-entrypoint.sh, the stand-in: makes the database when there is none, then becomes the server.
set -eu
[ "$1" = postgres ] || exec "$@"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
	[ -n "${POSTGRES_PASSWORD:-}" ] || { echo "Database is uninitialized and superuser password is not specified." >&2; exit 1; }
	user=${POSTGRES_USER:-postgres}
	database=${POSTGRES_DB:-$user}
	echo "$POSTGRES_PASSWORD" >/tmp/password
	# shellcheck disable=SC2086 # a list of arguments
	initdb --username="$user" --pwfile=/tmp/password ${POSTGRES_INITDB_ARGS:-}
	rm /tmp/password
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	# As upstream does: nobody outside reaches it before it is whole.
	pg_ctl -w -o "-c listen_addresses=''" start
	[ "$database" = postgres ] || psql -q -U "$user" -d postgres -c "CREATE DATABASE \"$database\""
	pg_ctl -w -m fast stop
fi
exec "$@" -c listen_addresses='*'
