#!/usr/bin/env bash
# Every figure beside its ceiling: what needs no HTTP by benchmarks beside the code,
# the rest by the load tool against the built binary, on SQLite and PostgreSQL.
# Arguments go to the load tool.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${BIN:-bin/emberlatch}
. scripts/postgres.sh
if start_postgres durable; then
  trap stop_postgres EXIT
else
  echo "bench: without PostgreSQL its figures are left out" >&2
fi
if [[ " $* " != *" --json "* ]]; then
  echo "== scopes, decisions, tokens, the view, client assertions"
  go test -run '^$' -benchtime 0.5s -bench 'ParseScopes|Decide|Admits|VerifyWarm|MintAccess|SearchView|Assertion' \
    ./smart ./access ./internal/tokens ./internal/fhirstore/fhirsql ./internal/clientauth | grep -E '^(Benchmark|FAIL|panic)'
  echo "== the gateway, beside a reverse proxy that checks nothing"
  go test -run '^$' -benchtime 1s -bench 'Gateway|ReverseProxy' ./internal/upstream | grep -E '^(Benchmark|FAIL|panic)'
  echo "== over loopback HTTP"
fi
go build -trimpath -o bin/emberlatch-load ./cmd/emberlatch-load
bin/emberlatch-load --binary "$binary" --postgres "${EMBERLATCH_TEST_POSTGRES:-}" "$@"
