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

step "tests, race detector, both databases"
CGO_ENABLED=1 go test -race -timeout 12m ./...

step "independent clients and Chromium"
scripts/clients.sh

step "fuzz targets, a few seconds each"
scripts/fuzz.sh 3s

step "done"
