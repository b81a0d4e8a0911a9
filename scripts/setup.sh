#!/usr/bin/env bash
# Installs what the tests need from Debian packages when it may, and says exactly
# what to install when it may not.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
postgres_bin() {
  local d
  for d in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)")"; do
    [ -x "$d/initdb" ] && { echo "$d"; return 0; }
  done
  return 1
}
postgres_bin >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v nginx >/dev/null || missing+=(nginx-light) # a peer of the bench, and its configuration's judge

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # A server that starts by itself is not wanted: the tests start their own.
    mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup: please install: ${missing[*]}" >&2
    echo "setup: on Debian: apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

# The independent clients, at the versions of the lock file.
if [ -f test/clients/package-lock.json ]; then
  stamp=test/clients/node_modules/.installed
  if [ ! -f "$stamp" ] || [ test/clients/package-lock.json -nt "$stamp" ]; then
    echo "setup: installing the Node packages of test/clients"
    (cd test/clients && npm ci --silent)
    touch "$stamp"
  fi
fi
