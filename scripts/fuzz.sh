#!/usr/bin/env bash
# Runs every fuzz target of the repository for so long each (default 5m).
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5m}
found=0
while IFS=: read -r file _ line; do
  name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
  pkg=./$(dirname "$file")
  found=$((found + 1))
  echo "fuzz: $pkg $name for $time"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$pkg" >/tmp/fuzz.$$ 2>&1 || { cat /tmp/fuzz.$$; exit 1; }
done < <(git grep -nE '^func Fuzz[A-Za-z0-9_]*\(' -- '*_test.go')
rm -f /tmp/fuzz.$$
echo "fuzz: $found targets, no finding"
