#!/usr/bin/env bash
# Runs the whole test suite and ends with a list of what was skipped and why.
# Uses a PostgreSQL server if KIZUNA_TEST_POSTGRES names one or the Debian binaries are installed, a ClickHouse server if
# KIZUNA_TEST_CLICKHOUSE names one or KIZUNA_CHDB is the path of libchdb.so, and the real tracking SDKs if npm is there.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
stop() {
  if [ -f "$work/pg/postmaster.pid" ]; then as_postgres "$pgbin/pg_ctl -D $work/pg -m immediate stop" >/dev/null 2>&1 || true; fi
  if [ -n "${clickhouse:-}" ]; then kill "$clickhouse" 2>/dev/null && wait "$clickhouse" || true; fi
  rm -rf "$work"
}
trap stop EXIT
as_postgres() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/bash -c "$1"; else bash -c "$1"; fi; }

if [ -z "${KIZUNA_TEST_POSTGRES:-}" ]; then
  pgbin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
  if [ -n "$pgbin" ] && [ -x "$pgbin/initdb" ]; then
    chmod 755 "$work"; mkdir "$work/pg"
    if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
    port=$((20000 + RANDOM % 20000))
    as_postgres "$pgbin/initdb -D $work/pg -A trust -U kizuna" >/dev/null
    as_postgres "$pgbin/pg_ctl -D $work/pg -w -l $work/pg/log -o '-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/pg -c max_connections=300' start" >/dev/null
    "$pgbin/createdb" -h 127.0.0.1 -p "$port" -U kizuna kizuna
    export KIZUNA_TEST_POSTGRES="postgres://kizuna@127.0.0.1:$port/kizuna?sslmode=disable"
  else
    echo "PostgreSQL is not installed here: its half of the store suites is skipped (Debian: apt install postgresql)"
  fi
fi

if [ -z "${KIZUNA_TEST_CLICKHOUSE:-}" ] && [ -n "${KIZUNA_CHDB:-}" ]; then
  go build -o "$work/clickhouse" ./test/peers/clickhouse
  mkfifo "$work/address"
  "$work/clickhouse" --library "$KIZUNA_CHDB" --data "$work/events" >"$work/address" &
  clickhouse=$!
  if read -r -t 60 KIZUNA_TEST_CLICKHOUSE <"$work/address"; then
    export KIZUNA_TEST_CLICKHOUSE KIZUNA_TEST_CLICKHOUSE_DATA="$work/events"
  else
    echo "the ClickHouse engine does not start: the event store's suites there are skipped"
    unset KIZUNA_TEST_CLICKHOUSE
  fi
elif [ -z "${KIZUNA_TEST_CLICKHOUSE:-}" ]; then
  echo "no ClickHouse: the event store's suites there are skipped (KIZUNA_CHDB is not set; .ci/run shows how)"
fi

if command -v npm >/dev/null && [ ! -d test/peers/sdk/node_modules ]; then
  (cd test/peers/sdk && npm ci --no-audit --no-fund --silent) || echo "the tracking SDKs could not be installed: their tests are skipped"
fi

if command -v npm >/dev/null; then make --no-print-directory web && (cd web/console && npm test --silent); else echo "npm is not installed: the tests of the console are skipped"; fi

# One binary for all stories: to link it takes a minute of a slow machine.
if [ -z "${KIZUNA_TEST_BINARY:-}" ]; then
  go build -o "$work/kizuna" ./cmd/kizuna
  export KIZUNA_TEST_BINARY="$work/kizuna"
fi

# To link the event store takes most of the time that binaries of tests do: less without tables for a debugger, and less with gold.
link="-s -w"
if command -v ld.gold >/dev/null; then link+=" -extldflags=-fuse-ld=gold"; fi

set +e
# -count=1: stories run the built binary, which the test cache does not know of. make lint vets. The browser, which mostly waits,
# comes first and leaves a place to the others, so that nobody waits for it alone in the end.
go test -json -count=1 -vet=off -ldflags="$link" -timeout 45m -p $(($(getconf _NPROCESSORS_ONLN) + 1)) "$@" ./test/e2e ./... | go run ./test/summary
