#!/usr/bin/env bash
# Start-up time on an existing data folder, and memory when idle.
# Usage: bench/start.sh FILE.csv [import flags ...]   fills a folder from FILE first; without arguments 70,000 made-up events are used.
set -euo pipefail
cd "$(dirname "$0")/.."
make -s build
work=$(mktemp -d)
addr=127.0.0.1:18480
trap 'kill "${pid:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
export KIZUNA_BOOTSTRAP_WRITE_KEY=wk_bench_0123456789abcdef KIZUNA_BOOTSTRAP_API_KEY=kz_bench_0123456789abcdef0123456789abcdef

start() { bin/kizuna serve --data "$work/data" --listen $addr >"$work/log" 2>&1 & pid=$!; until curl -sf http://$addr/healthz >/dev/null; do sleep 0.01; done; }
stats() { curl -s -H "Authorization: Bearer $KIZUNA_BOOTSTRAP_API_KEY" http://$addr/api/v1/stats; }

start
if [ $# -eq 0 ]; then
  awk 'BEGIN { print "customer,day,amount"; for (i = 0; i < 70000; i++) printf "c%d,2026-%02d-%02d,%d\n", i % 23000, i % 12 + 1, i % 28 + 1, i % 97 }' >"$work/orders.csv"
  set -- "$work/orders.csv" --map userId=customer --map timestamp=day:time:%Y-%m-%d --map properties.total=amount:number --set "event=Order Completed"
fi
file=$1; shift
bin/kizuna import --server http://$addr --write-key $KIZUNA_BOOTSTRAP_WRITE_KEY --state "$work/state" --rejects "$work/rejects" "$@" "$file"
before=""; while now=$(stats); [ "$now" != "$before" ]; do before=$now; sleep 3; done
echo "stored: $now"
kill $pid; wait $pid || true
for run in 1 2 3 4 5; do
  began=$(date +%s%N); start; ended=$(date +%s%N)
  echo "start-up $run: $(((ended - began) / 1000000)) ms"
  if [ $run = 5 ]; then sleep 20; grep VmRSS /proc/$pid/status; fi
  kill $pid; wait $pid || true
done
