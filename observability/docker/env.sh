#!/bin/sh
# env.sh [FILE]
# Makes FILE, observability/.env, with passwords of its own when there is none yet, and tells them
# this once. Whoever may not read the file does not learn them.
set -eu
file=${1:-$(dirname "$0")/../.env}
[ ! -e "$file" ] || exit 0

password() { od -An -N 16 -t x1 /dev/urandom | tr -d ' \n'; }
postgres=$(password)
grafana=$(password)

umask 077
cat >"$file.new" <<END
# Made by observability/docker/env.sh. Never commit this file. What else can be set: .env.example
POSTGRES_PASSWORD=$postgres
GRAFANA_ADMIN_PASSWORD=$grafana
END
mv "$file.new" "$file" # whole, or not at all
echo "$file is made, with passwords that nobody else has; they are shown this once:"
echo "  Grafana     user admin, password $grafana"
echo "  PostgreSQL  user config_service, password $postgres"
