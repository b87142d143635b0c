#!/usr/bin/env bash
# Runs a command against the sample business on a free port; DEMO among its words becomes URL EMAIL PASSWORD.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
bin/kizuna demo --data "$data" --listen "127.0.0.1:$port" --customers "${CUSTOMERS:-150}" >"$data.log" 2>&1 &
demo=$!
trap 'kill $demo 2>/dev/null || true; wait $demo 2>/dev/null || true; rm -rf "$data" "$data.log"' EXIT
until grep -q 'Password ' "$data.log"; do
  kill -0 $demo 2>/dev/null || { cat "$data.log"; exit 1; }
  sleep 0.2
done
words=()
for w in "$@"; do
  if [ "$w" = DEMO ]; then
    words+=("http://127.0.0.1:$port" "$(awk '/Sign in /{print $3}' "$data.log")" "$(awk '/Password /{print $2}' "$data.log")")
  else words+=("$w"); fi
done
"${words[@]}"
