#!/usr/bin/env bash
# Everything a contributor must pass, in the order in which a mistake shows soonest.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "check"
scripts/check.sh

# One PostgreSQL server for all packages; each test makes its own database.
step "postgres"
. scripts/postgres.sh
start_postgres
trap stop_postgres EXIT

# The longest first: two packages run at a time, and one that comes last runs alone.
step "tests, both databases"
go test -timeout 15m ./internal/testenv ./internal/fhirstore/fhirsql ./internal/page ./internal/testenv/catalogue $(go list ./... | grep -v '/storetest$')

step "storage, with two hundred rounds of fifty at once"
EMBERLATCH_LONG=1 go test -timeout 15m -count=1 ./internal/store/storetest

# Of packages that take minutes under it, the tests in which goroutines meet.
step "race detector"
CGO_ENABLED=1 go test -race -timeout 25m $(go list ./... | grep -vE '/(cmd/emberlatch|page|conform(/.*)?|fhirapi|fhirsql|testenv(/.*)?|storetest|reach)$')
CGO_ENABLED=1 go test -race -timeout 25m -skip 'Many|MoreRoles' ./internal/reach
CGO_ENABLED=1 go test -race -timeout 25m -run 'Export|Race|Careless|Concurrent|Twice' ./internal/fhirapi
CGO_ENABLED=1 go test -race -timeout 25m -run 'One|Fifty|Race|Winner|Forks|During|Exactly|Changes' ./internal/store/storetest
CGO_ENABLED=1 go test -race -timeout 25m -run 'Fifty|RefreshTokens|TwoTabs|Revocation' ./internal/testenv

step "independent clients and Chromium"
scripts/clients.sh

[ -d "${EMBERLATCH_DATA:-../shared/data}" ] ||
  echo "note: no test data in ../shared/data or EMBERLATCH_DATA: traps, population and official definitions were skipped"
step "done"
