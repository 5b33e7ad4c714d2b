#!/usr/bin/env bash
# Shows the exporter at work, and builds it if no package of it is installed, on a fresh Debian 12 or 13, as root or with sudo.
#
#   deploy/quickstart.sh          on a throwaway PostgreSQL that holds the database of deploy/demo/REPORT.md
#   deploy/quickstart.sh --once   the same, but prints the report and ends with the check's exit code
#   deploy/quickstart.sh --stack  the same, with Prometheus and Alertmanager beside it (see stack.sh)
#   deploy/quickstart.sh --drill  the same, with a recorded dump and a restore drill of it. With --once it prints the
#                                 findings of the drill and ends with its exit code
#   deploy/quickstart.sh --drill-pgbackrest          the same with a repository of pgBackRest, recovered to its newest
#                                 point and to a random moment
#   DATA_SOURCE_NAME=… deploy/quickstart.sh          on a database of your own, which is only read
#
# LISTEN=127.0.0.1:10187 chooses another address. EXPORTER=PATH takes that program and builds none; EXPORTER= builds
# although a package is installed. Ctrl-C ends the quickstart and cleans up.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/common.sh

once=0 stack=0 drill=0 repository=0
for argument; do
  case $argument in
    --once) once=1 ;;
    --stack) stack=1 ;;
    --drill) drill=1 ;;
    --drill-pgbackrest) drill=1 repository=1 ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) fail "unknown argument: $argument" "deploy/quickstart.sh --help" ;;
  esac
done
listen=${LISTEN:-127.0.0.1:10187}
# The address at which this machine reaches it.
host=${listen%:*} host=${host#[} host=${host%]} port=${listen##*:}
case $host in '' | 0.0.0.0 | '::') host=127.0.0.1 ;; esac
own_database=${DATA_SOURCE_NAME:+1}
if [ $drill = 1 ] && [ -n "$own_database" ]; then
  fail "--drill is of the demo" "unset DATA_SOURCE_NAME; README.md says how to drill your own backups"
fi
exporter_pid='' api_pid='' stack_pid='' cluster=''

clean_up() {
  local pid
  for pid in $stack_pid $exporter_pid $api_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ -n "$cluster" ]; then
    unprivileged "$bin/pg_ctl" -D "$cluster" -m immediate stop >/dev/null 2>&1 || true
  fi
  rm -rf "$work_dir"
}
on_end clean_up

make_work_dir
say "pg_integrity_exporter quickstart"
if [ $once = 0 ] && listens "$host:$port"; then
  fail "something listens on $host:$port already" "stop it, or choose another address: LISTEN=127.0.0.1:PORT $0"
fi
# A package's program is as good as one that is built here.
if [ -z "${EXPORTER+set}" ] && [ -x /usr/bin/pg_integrity_exporter ]; then
  EXPORTER=/usr/bin/pg_integrity_exporter
  say "  taking the installed $("$EXPORTER" --version)"
fi
packages=()
[ -n "${EXPORTER-}" ] || packages+=("${BUILD_PACKAGES[@]}")
[ -n "$own_database" ] || packages+=(postgresql postgresql-client python3)
[ $drill = 0 ] || packages+=(bubblewrap)
[ $repository = 0 ] || packages+=(pgbackrest)
[ $stack = 0 ] || packages+=(prometheus prometheus-alertmanager)
need_packages "${packages[@]}" curl  # for what it says to try
[ -n "${EXPORTER-}" ] || counted_step "building (a few minutes)" build program all

# The unprivileged user must reach the program, wherever the checkout is.
install -m 755 "${EXPORTER:-build/program/exporter/pg_integrity_exporter}" "$work_dir/pg_integrity_exporter"
exporter=$work_dir/pg_integrity_exporter
# 3 MB instead of 20. A program that the user named stays as it is.
[ -n "${EXPORTER-}" ] || strip "$exporter"

# What the server archives, and what `drill` restores.
archive_to_repository() {
  local folder
  for folder in repo log lock spool; do
    install -d -m 700 "$work_dir/pgbackrest/$folder"
  done
  cat >"$work_dir/pgbackrest/pgbackrest.conf" <<CONF
[global]
repo1-path=$work_dir/pgbackrest/repo
repo1-retention-full=2
log-path=$work_dir/pgbackrest/log
lock-path=$work_dir/pgbackrest/lock
spool-path=$work_dir/pgbackrest/spool
log-level-console=error
start-fast=y
[demo]
pg1-path=$cluster
pg1-socket-path=$work_dir/socket
pg1-user=postgres
pg1-database=postgres
CONF
  [ "$(id -u)" != 0 ] || chown -R postgres: "$work_dir/pgbackrest"
  cat >>"$cluster/postgresql.conf" <<CONF
archive_mode = on
archive_command = 'pgbackrest --config=$work_dir/pgbackrest/pgbackrest.conf --stanza=demo archive-push %p'
CONF
}

pgbackrest_demo() {
  unprivileged pgbackrest --config="$work_dir/pgbackrest/pgbackrest.conf" --stanza=demo "$@"
}

back_up() { pgbackrest_demo stanza-create && pgbackrest_demo --type=full backup; }

# A few seconds in which rows are written, and the log of them in the archive.
write_and_archive() {
  local segment
  for _ in $(seq 30); do
    psql -X -q -U postgres -c 'INSERT INTO quickstart_moments DEFAULT VALUES'
    sleep 0.1
  done
  segment=$(psql -X -At -U postgres -c 'SELECT pg_walfile_name(pg_switch_wal())')
  for _ in $(seq 300); do
    [[ $(psql -X -At -U postgres -c 'SELECT last_archived_wal FROM pg_stat_archiver') < $segment ]] || return 0
    sleep 0.1
  done
  return 1
}

start_cluster() {
  bin=$(postgres_bin)
  cluster=$work_dir/cluster
  install -d -m 700 "$work_dir/cluster" "$work_dir/state"
  [ "$(id -u)" != 0 ] || chown postgres: "$work_dir/cluster" "$work_dir/state"
  unprivileged "$bin/initdb" -D "$cluster" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
  install -d -m 711 "$work_dir/socket"
  [ "$(id -u)" != 0 ] || chown postgres: "$work_dir/socket"
  # The server listens on no address, only on a socket, so that nobody else on the machine or network gets in.
  cat >>"$cluster/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work_dir/socket'
CONF
  [ $repository = 0 ] || archive_to_repository
  unprivileged "$bin/pg_ctl" -D "$cluster" -w -l "$cluster/server.log" start
}

load_demo() {
  export PGHOST=$work_dir/socket PGUSER=postgres PGDATABASE=postgres
  psql -X -q -v ON_ERROR_STOP=1 -c 'CREATE DATABASE tovplay' &&
    psql -X -q -v ON_ERROR_STOP=1 -d tovplay -f deploy/demo/database.sql &&
    psql -X -q -v ON_ERROR_STOP=1 -d tovplay -f deploy/grants.sql
}

run_as=()
[ -n "$own_database" ] || [ "$(id -u)" != 0 ] || run_as=(setpriv --reuid=postgres --regid=postgres --init-groups --)

# The API prints its port once it listens.
wait_for_api() {
  for _ in $(seq 100); do
    [ ! -s "$work_dir/api.port" ] || return 0
    kill -0 "$api_pid" || break
    sleep 0.1
  done
  cat "$work_dir/api.log"
  return 1
}

config=()
if [ -z "$own_database" ]; then
  forget_libpq_environment
  step "starting a throwaway PostgreSQL" start_cluster
  step "loading the report's database" load_demo
  export PGHOST=$work_dir/socket PGUSER=pgintegrity PGDATABASE=tovplay
  install -m 644 deploy/demo/api.py "$work_dir/"
  "${run_as[@]}" /usr/bin/python3 "$work_dir/api.py" >"$work_dir/api.port" 2>"$work_dir/api.log" </dev/null &
  api_pid=$!
  step "starting the report's API" wait_for_api
  sed -e "1i state_dir = \"$work_dir/state\"" -e '/^listen = /r deploy/demo/hurried.toml' \
    -e "s|127.0.0.1:7777|127.0.0.1:$(cat "$work_dir/api.port")|" deploy/demo/exporter.toml \
    >"$work_dir/exporter.toml"
  config=(--config "$work_dir/exporter.toml")
fi

# It runs as the unprivileged user, since a dump's functions are somebody else's code, even if this one's are ours.
drill_command() { "${run_as[@]}" "$exporter" drill "${config[@]}" "$@"; }
if [ $drill = 1 ]; then
  install -d -m 755 "$work_dir/dumps" "$work_dir/drills" "$work_dir/scratch"
  [ "$(id -u)" != 0 ] || chown postgres: "$work_dir/dumps" "$work_dir/drills" "$work_dir/scratch"
  drilled=0
  if [ $repository = 1 ]; then
    asked="\"pgbackrest\", \"--config=$work_dir/pgbackrest/pgbackrest.conf\", \"--stanza=demo\""
    cat >>"$work_dir/exporter.toml" <<CONF

[[server.backups]]
name = "repository"
pgbackrest = { command = [$asked, "info", "--output=json"], drill_command = [$asked] }

[server.drills]
directory = "$work_dir/drills"
CONF
    psql -X -q -U postgres -c 'CREATE TABLE quickstart_moments (created_at timestamptz PRIMARY KEY DEFAULT clock_timestamp())'
    step "taking a backup with pgBackRest" back_up
    step "writing for a few seconds, and archiving it" write_and_archive
    say "  recovering to the newest point, in isolation"
    drill_command --work-dir "$work_dir/scratch" --source repository 2>&1 | sed 's/^/    /' || drilled=$?
    say "  recovering to a random moment"
    drill_command --work-dir "$work_dir/scratch" --source repository --random-target 2>&1 | sed 's/^/    /' || drilled=$?
  else
    sed -e "s|/var/lib/pg_integrity_exporter/drills|$work_dir/drills|" -e "s|/var/backups/tovplay|$work_dir/dumps|" \
      deploy/demo/drill.toml >>"$work_dir/exporter.toml"
    step "taking a recorded dump" drill_command --record --dump "$work_dir/dumps/tovplay.dump"
    say "  restoring it into a throwaway server, and comparing"
    drill_command --work-dir "$work_dir/scratch" 2>&1 | sed 's/^/    /' || drilled=$?
  fi
  if [ $once = 1 ]; then exit $drilled; fi
fi

if [ $once = 1 ]; then
  status=0
  "${run_as[@]}" "$exporter" check --log-level error "${config[@]}" || status=$?
  exit $status
fi

"${run_as[@]}" "$exporter" --log-level info --listen "$listen" "${config[@]}" 2>"$work_dir/exporter.log" &
exporter_pid=$!

# Another program may answer at that address. The answer is ours if our exporter runs and has said that it listens.
is_ours() { kill -0 "$exporter_pid" 2>/dev/null && grep -q ' msg="listening" ' "$work_dir/exporter.log"; }

wait_until_ready() {
  for _ in $(seq 900); do
    kill -0 "$exporter_pid" 2>/dev/null || break
    is_ours && (fetch "$host:$port" /-/ready) >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  cat "$work_dir/exporter.log"
  return 1
}
step "waiting for the first full pass" wait_until_ready

say ""
say "The live report:  http://$host:$port/"
say "Try:"
say "  curl http://$host:$port/metrics"
say "  curl http://$host:$port/report.md"
if [ -n "$own_database" ]; then
  say "  $PWD/build/program/exporter/pg_integrity_exporter check"
else
  say "  psql -h $PGHOST -U postgres tovplay -c 'DELETE FROM \"UserFriends\"'   # look again after 10 s"
fi
say ""
summary() {
  (fetch "$host:$port" /report.md) | sed -nE 's/^\| ([A-Z][a-z ]+\?) \| \*\*([^*]+)\*\*(.*) \|/  \1 \2\3/p
    s/^\| cause [0-9]+ \| (.*) \| unproven \((connect|auth|tls|timeout)\) .*/  out of reach: \1/p
    s/^\| ([^|]+) \| violated \| [^|]* \| (.*) \|/  violated: \1: \2/p' | tr -d '\134'
}
if ! found=$(summary) || ! is_ours; then
  tail -n 20 "$work_dir/exporter.log" >&2
  fail "the exporter no longer answers" "its log is above"
fi
say "$found"
# The times that the drill measured, beside the objectives that the report claims.
measured() {
  local page
  page=$(fetch "$host:$port" /metrics)
  seconds() { sed -nE "s/^pg_integrity_$1_seconds\{.*\} ([0-9]+).*/\1 s/p" <<<"$page"; }
  say "  recovery time:  $(seconds restore_drill_duration), should be <= $(seconds restore_drill_objective)"
  say "  recovery point: $(seconds recovery_point_age) old, should be <= $(seconds recovery_point_objective)"
}
[ $drill = 0 ] || measured
say ""
if [ $stack = 1 ]; then
  deploy/stack.sh "$host:$port" &
  stack_pid=$!
fi
say "Ctrl-C ends it."
wait "$exporter_pid"
