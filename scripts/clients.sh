#!/usr/bin/env bash
# Off-the-shelf clients against the built binary, and the binary beside another
# server (docs/differential.md); fhirclient and the sample app run in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
make --silent build
cd test/clients
exec node --test --test-concurrency=1 ./*.test.mjs
