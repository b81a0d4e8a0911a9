# Sourced: start_postgres makes a throw-away server and exports
# EMBERLATCH_TEST_POSTGRES; stop_postgres removes it. Tests stop processes and not the
# machine, and need no flush; "start_postgres durable" flushes, for what is measured.

postgres_dir=""

start_postgres() {
  [ -n "${EMBERLATCH_TEST_POSTGRES:-}" ] && return 0
  local bin="" d run=() flush="-c fsync=off -c full_page_writes=off"
  [ "${1:-}" = durable ] && flush="-c fsync=on"
  for d in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/x)")"; do
    [ -x "$d/initdb" ] && bin=$d
  done
  [ -n "$bin" ] || { echo "postgres: initdb not found; run make setup" >&2; return 1; }
  postgres_dir=$(mktemp -d)
  if [ "$(id -u)" = 0 ]; then
    id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
    chown postgres "$postgres_dir"
    run=(setpriv --reuid=postgres --regid="$(id -g postgres)" --clear-groups)
  fi
  (
    cd /
    "${run[@]}" "$bin/initdb" -D "$postgres_dir/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
    "${run[@]}" "$bin/pg_ctl" -D "$postgres_dir/data" -w -l "$postgres_dir/log" \
      -o "-c listen_addresses='' -c unix_socket_directories='$postgres_dir' -c max_connections=300 $flush" start >/dev/null
  )
  postgres_stop=("${run[@]}" "$bin/pg_ctl" -D "$postgres_dir/data" -m immediate stop)
  export EMBERLATCH_TEST_POSTGRES="postgres://postgres@/postgres?host=$postgres_dir"
}

stop_postgres() {
  [ -n "$postgres_dir" ] || return 0
  (cd / && "${postgres_stop[@]}" >/dev/null 2>&1) || true
  rm -rf "$postgres_dir"
}
