#!/bin/sh
# context.sh DIRECTORY
# Fills DIRECTORY with what the stand-ins are made of: our own builds in bin/, the Go toolchain and
# the modules of go.mod, and PostgreSQL's and HAProxy's programs from Debian's packages.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
to=$1
mkdir -p "$to/bin" "$to/empty" "$to/passwd" "$to/golang/bin" "$to/golang/etc/ssl/certs" "$to/golang/tmp"

# put DIRECTORY FILE...: the files under the same paths, with the libraries that each asks for.
put() {
	under=$1
	shift
	mkdir -p "$under"
	for file in "$@"; do
		{ echo "$file"; ldd "$file" 2>/dev/null | grep -o '/[^ ]*'; } |
			while read -r path; do cp -Ln --parents "$path" "$under"; done
	done
}

for program in prometheus promtool otelcol alertmanager cadvisor; do
	ln -f "$root/bin/$program" "$to/bin/" 2>/dev/null || cp "$root/bin/$program" "$to/bin/"
done
echo 'nobody:x:65534:65534::/:/bin/false' >"$to/passwd/passwd"

# golang
shell=$(command -v busybox)
cp "$shell" "$to/golang/bin/busybox"
for name in sh mkdir cp; do ln -sf busybox "$to/golang/bin/$name"; done
cp -L /etc/ssl/certs/ca-certificates.crt "$to/golang/etc/ssl/certs/"
echo 'root:x:0:0::/root:/bin/sh' >"$to/golang/etc/passwd"
goroot=$(go env GOROOT)
mkdir -p "$to/golang/usr/local/go"
cp -al "$goroot"/bin "$goroot"/src "$goroot"/pkg "$goroot"/lib "$goroot"/VERSION "$goroot"/go.env "$to/golang/usr/local/go/" 2>/dev/null ||
	cp -a "$goroot"/bin "$goroot"/src "$goroot"/pkg "$goroot"/lib "$goroot"/VERSION "$goroot"/go.env "$to/golang/usr/local/go/"
# The modules that go.mod asks for, in a tree of files that answers as the module proxy does: the
# go.mod of each, also of those that are only asked for their go.mod, and the zips of those in use.
cache=$(go env GOMODCACHE)/cache/download
(cd "$root" && GOMODCACHE=$to/modules GOFLAGS=-modcacherw GOPROXY="file://$cache,$(go env GOPROXY)" go list -m all >/dev/null)
mv "$to/modules/cache/download" "$to/golang/modules"
rm -rf "$to/modules"
(cd "$root" && go mod download -json) | sed -n "s|.*\"Zip\": \"$cache/\(.*\)\".*|\1|p" |
	(cd "$cache" && xargs cp --parents -t "$to/golang/modules")

# postgres
pg=$(ls -d /usr/lib/postgresql/15)
put "$to/postgres" "$pg"/bin/postgres "$pg"/bin/initdb "$pg"/bin/pg_ctl "$pg"/bin/psql "$pg"/bin/pg_isready
put "$to/postgres" "$pg"/bin/pg_dump "$pg"/bin/pg_restore "$pg"/bin/dropdb "$pg"/bin/createdb
put "$to/postgres" "$pg"/lib/dict_snowball.so "$pg"/lib/plpgsql.so "$pg"/lib/libpqwalreceiver.so
tar -C / -c usr/share/postgresql/15 usr/share/zoneinfo usr/lib/locale/C.utf8 | tar -C "$to/postgres" -x
mkdir -p "$to/postgres/bin" "$to/postgres/etc"
cp "$shell" "$to/postgres/bin/busybox"
for name in sh cat rm; do ln -sf busybox "$to/postgres/bin/$name"; done
printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >"$to/postgres/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$to/postgres/etc/group"
cp "$(dirname "$0")/postgres-entrypoint.sh" "$to/"

# haproxy
put "$to/haproxy" /usr/sbin/haproxy
mkdir -p "$to/haproxy/usr/local/etc/haproxy"
