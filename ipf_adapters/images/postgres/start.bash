#!/usr/bin/env bash
# Makes the database on its first start and serves it. POSTGRES_PASSWORD is that of the user and database `airflow`.
set -euo pipefail

create() {
  local partial=$PGDATA.partial
  : "${POSTGRES_PASSWORD:?set it: run make compose-env}"
  rm -rf "$partial"
  initdb --pgdata="$partial" --username=airflow --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust \
    --auth-host=scram-sha-256 --pwfile=<(printf '%s' "$POSTGRES_PASSWORD") >/dev/null
  echo 'host all all all scram-sha-256' >>"$partial/pg_hba.conf"
  echo 'CREATE DATABASE airflow' | postgres --single -D "$partial" -j postgres >/dev/null
  mv "$partial" "$PGDATA"
}

[[ -d $PGDATA ]] || create
unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp -c jit=off -c max_connections=200
