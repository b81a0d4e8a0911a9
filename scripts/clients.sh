#!/usr/bin/env bash
# Off-the-shelf clients against the built binary, and the binary beside another
# server (docs/differential.md); fhirclient and the sample app run in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
go build -o bin/emberlatch ./cmd/emberlatch # with the packages that the tests have built
cd test/clients
exec node --test --test-concurrency=1 ./*.test.mjs
