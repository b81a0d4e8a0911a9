#!/usr/bin/env bash
# The gateway in front of a server that others made: builds and starts HAPI FHIR's JPA
# server (R4, H2 in memory) of test/hapi, fills it with the test population and the traps,
# and runs the tests that compare it with our own store. MOST bounds how many resources
# of each type are loaded (0: all; the default is a subset that loads in minutes).
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in java javac mvn; do
  command -v "$tool" >/dev/null || {
    echo "hapi: $tool is missing. Install a JDK of version 17 or later, and Maven 3.8 or later: apt-get install openjdk-17-jdk-headless maven" >&2
    exit 1
  }
done
most=${MOST:-100}
[ "$most" != 0 ] || most=1000000
build=test/hapi/target
echo "hapi: building (the first time fetches some 300 MB)"
mvn -B -q -f test/hapi/pom.xml compile dependency:build-classpath -Dmdep.outputFile=target/classpath

log=$build/log
mkfifo "$build/hold.$$"
java -cp "$build/classes:$(cat "$build/classpath")" org.emberlatch.hapi.Server <"$build/hold.$$" >"$log" 2>&1 &
server=$!
exec 9>"$build/hold.$$" # the server ends when nobody holds this any longer
rm "$build/hold.$$"
trap 'kill "$server" 2>/dev/null || true' EXIT
url=""
for _ in $(seq 600); do
  url=$(grep -m1 '^http://' "$log" || true)
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 1
done
[ -n "$url" ] || { echo "hapi: the server did not start; see $log" >&2; exit 1; }
echo "hapi: at $url, loading"
EMBERLATCH_TEST_HAPI=$url EMBERLATCH_TEST_HAPI_MOST=$most go test -count=1 -timeout 60m -run Hapi -v ./internal/upstream
