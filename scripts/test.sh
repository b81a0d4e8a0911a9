#!/usr/bin/env bash
# Everything a contributor must pass, in the order in which a mistake shows soonest.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Nobody debugs these programs: without DWARF a first build of all takes a tenth less.
export GOFLAGS="${GOFLAGS:-} -gcflags=all=-dwarf=false"
# compiled: the compiler collects no garbage below a gigabyte; the tests that follow do.
compiled() { GOGC=off GOMEMLIMIT=1GiB "$@"; }

step "check"
compiled go vet ./...
scripts/check.sh

# One PostgreSQL server for all packages; each test makes its own database.
step "postgres"
. scripts/postgres.sh
start_postgres
beside=""
trap '[ -z "$beside" ] || kill "$beside" 2>/dev/null || true; stop_postgres' EXIT

# Each test runs once: with the race detector, where that takes seconds more and not
# minutes. The longest packages come first: two run at a time, and one that comes last runs
# alone. The house was looked at by the check.
rest='/(cmd/emberlatch|page|conform(/.*)?|db|fhirapi|fhirsql|reach|sandbox|storetest|testenv(/.*)?)$'
house='/internal/house(/.*)?$'

step "tests, both databases, with two hundred rounds of fifty at once"
EMBERLATCH_LONG=1 go test -timeout 15m ./internal/testenv ./internal/store/storetest ./internal/fhirstore/fhirsql ./internal/page $(go list ./... | grep -E "$rest")

export CGO_ENABLED=1
step "tests, with the race detector"
compiled go build -race ./...
go test -race -timeout 15m ./internal/authorize ./internal/upstream ./internal/app $(go list ./... | grep -vE "$rest|$house")

step "race detector: of the others, the tests in which goroutines meet"
(
  go test -race -timeout 15m -skip 'MigrationsThatComeLate' ./internal/db
  go test -race -timeout 15m -skip 'Many|MoreRoles' ./internal/reach
) &
beside=$!
go test -race -timeout 15m -run 'Export|Race|Careless|Concurrent|Twice' ./internal/fhirapi
go test -race -timeout 15m -run 'One|Fifty|Race|Winner|Forks|During|Exactly|Changes' ./internal/store/storetest
go test -race -timeout 15m -run 'Fifty|RefreshTokens|TwoTabs|Revocation' ./internal/testenv
wait "$beside"
beside=""
export CGO_ENABLED=0

step "independent clients and Chromium"
scripts/clients.sh

[ -d "${EMBERLATCH_DATA:-../shared/data}" ] ||
  echo "note: no test data in ../shared/data or EMBERLATCH_DATA: traps, population and official definitions were skipped"
step "done"
