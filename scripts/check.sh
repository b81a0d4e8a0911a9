#!/usr/bin/env bash
# The quick gate: what a commit must pass before the long tests.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(gofmt -l $(git ls-files '*.go'))
if [ -n "$unformatted" ]; then
  echo "check: not formatted: $unformatted" >&2
  exit 1
fi
go vet ./...
go test -count=1 ./internal/house/...
go run ./internal/house/catalogue -check
# A stale page of documentation is told, and does not stop the tests.
go run ./internal/house/conformance -check || echo "check: bring docs/conformance.md up to date with: make generate"
