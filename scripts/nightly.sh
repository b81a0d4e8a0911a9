#!/usr/bin/env bash
# The proofs that need time: 100,000 random cases and more against the oracle and the laws
# of access (SQLite), revocations under load, and the planted bugs, each of which a test
# must notice. SCALE=10 takes a tenth of the cases.
set -euo pipefail
cd "$(dirname "$0")/.."
scale=${SCALE:-1}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
total=0

# law NAME PACKAGE TESTS ARGS: runs random tests and counts their cases, as they say
# themselves or as rapid does.
law() {
  local name=$1 package=$2 tests=$3 began=$SECONDS
  shift 3
  printf '== %s\n' "$name"
  go test -count=1 -timeout 90m -v -run "$tests" "$package" "$@" >"$log" 2>&1 || { grep -v '\[rapid\] draw' "$log" | tail -60; exit 1; }
  grep -q -- '--- SKIP' "$log" && { grep -A2 -- '--- SKIP' "$log"; echo "nightly: a proof was skipped" >&2; exit 1; }
  local cases
  cases=$(awk '/cases: [0-9]+/ {own += $NF} /OK, passed [0-9]+ tests/ {sub(/.*passed /, ""); rapid += $1} END {print own ? own : rapid + 0}' "$log")
  total=$((total + cases))
  printf '   %s cases in %ss, in all %s (%ss)\n' "$cases" "$((SECONDS - began))" "$total" "$SECONDS"
}

law "the store answers as the oracle" ./internal/fhirstore/fhirsql 'TestStoreAgreesWithTheOracle/sqlite' -rapid.checks=$((900 / scale))
law "what is hidden changes no byte of the store's answers" ./internal/fhirstore/fhirsql 'TestWhatIsHiddenChangesNoByte/sqlite' -rapid.checks=$((500 / scale))
law "nor over HTTP, with and without the gateway; union and monotony" ./internal/testenv/catalogue TestRandomUniversesOverHTTP -rapid.checks=$((300 / scale)) -universes=$((300 / scale))
law "writes change what they may, and tell nothing" ./internal/fhirstore/fhirsql 'TestWrites(ChangeOnlyWhatTheyMay|TellNothingOfWhatIsHidden)/sqlite' -rapid.checks=$((300 / scale))
law "decisions" ./access '^Test' -rapid.checks=$((5000 / scale))
law "scopes" ./smart '^Test' -rapid.checks=$((5000 / scale))
law "what is understood is printed the same" ./internal/testenv/catalogue TestWhatIsUnderstoodIsPrintedTheSame -rapid.checks=$((2000 / scale))
law "a hostile upstream" ./internal/upstream TestAHostileUpstreamGetsNothingPast -rapid.checks=$((5000 / scale))
law "a batch is the list of its requests" ./internal/fhirapi TestBatchIsTheListOfItsRequests -rapid.checks=$((60 / scale + 1)) -batches=$((60 / scale + 1))

. scripts/postgres.sh
start_postgres
trap 'stop_postgres; rm -f "$log"' EXIT
printf '== revocations under load\n'
go test -count=1 -v -run TestNothingIsAnsweredASecondAfterItsEnd ./internal/testenv -revocations=1000 | grep -E 'revocations,|FAIL|ok'

printf '== planted bugs\n'
go run ./internal/house/planted
printf 'nightly: %s random cases without a finding, in %ss\n' "$total" "$SECONDS"
