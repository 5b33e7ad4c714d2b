# Progress, packages, builds and a throwaway PostgreSQL for quickstart.sh, stack.sh, tests/run.sh and the campaigns.
# This file is sourced, not run.
# shellcheck shell=bash

# shellcheck disable=SC2034  # used by scripts that source this
BUILD_PACKAGES=(g++ cmake ninja-build pkg-config libpqxx-dev libpq-dev libcpp-httplib-dev
  libtomlplusplus-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libcli11-dev nlohmann-json3-dev
  libhowardhinnant-date-dev libcrypt-dev libevent-dev libyaml-cpp-dev libssl-dev zlib1g-dev libcurl4-openssl-dev tzdata
  libbz2-dev libexpat1-dev liblz4-dev liblzma-dev libzstd-dev)

work_dir=''   # everything temporary is in here; see make_work_dir
log_file=''
service_policy=/usr/sbin/policy-rc.d
cluster_defaults=/etc/postgresql-common/createcluster.conf

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf 'HINT: %s\n' "$2" >&2
  exit 1
}

# step TEXT COMMAND...: runs quietly; shows the end of the log if it fails.
step() {
  local text=$1 start=$SECONDS
  shift
  printf '  %-52s' "$text"
  if "$@" >"$log_file" 2>&1 </dev/null; then
    printf ' %4d s\n' $((SECONDS - start))
  else
    printf ' failed\n'
    tail -n 60 "$log_file" >&2
    return 1
  fi
}

# counted_step TEXT COMMAND...: as step. On a terminal it also shows the newest "[3/70]" of the log, as builds write it.
counted_step() {
  local watcher='' status=0 text=$1
  if [ -t 1 ]; then
    (
      while sleep 1; do
        printf '\r  %-52s %s ' "$text" "$(grep -oE '^\[ *[0-9]+[/%][0-9]*\]' "$log_file" 2>/dev/null | tail -n 1)"
      done
    ) &
    watcher=$!
  fi
  step "$@" || status=$?
  [ -z "$watcher" ] || { kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null; } || true
  return $status
}

# on_end COMMAND: runs it once when this shell ends, also when a signal ends it. Further signals are ignored meanwhile.
# If somebody signals a whole process group, a script in it gets a second signal from its parent, which ends it too.
on_end() {
  # shellcheck disable=SC2064  # COMMAND as it is now
  trap "trap '' HUP INT TERM; trap - EXIT; $1" EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

# may_become_root: asks for a password here, where the user can see the question.
may_become_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || sudo -v; }; }
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# Installs packages without starting their services, and without a default PostgreSQL cluster.
# It runs in a shell of its own, so that the machine may start services again however it ends.
install_packages() (
  if [ ! -e "$service_policy" ]; then
    # shellcheck disable=SC2016  # expanded when it runs
    on_end 'as_root rm -f "$service_policy"'
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$service_policy && chmod 755 $service_policy"
  fi
  if [ ! -e "$cluster_defaults" ]; then
    as_root sh -c "mkdir -p ${cluster_defaults%/*} && echo 'create_main_cluster = false' >$cluster_defaults"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
)

# forget_libpq_environment: keeps later commands from a server that the user's environment names. PGSERVICE goes before
# PGHOST, and PGHOSTADDR before both.
forget_libpq_environment() { unset "${!PG@}"; }

# need_root_for PACKAGES: fails unless this script may install them.
need_root_for() {
  may_become_root || fail "packages must be installed: $1" "run this as root or with sudo, or have them installed"
}

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  need_root_for "$missing"
  # shellcheck disable=SC2086  # a list of names
  step "installing $(wc -w <<<"$missing") packages" install_packages $missing ||
    fail "packages could not be installed" "see the end of the log above"
}

# build PRESET TARGET...
build() { cmake --preset "$1" && cmake --build --preset "$1" --target "${@:2}"; }

# listens HOST:PORT: succeeds if a program listens there.
listens() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

# fetch HOST:PORT PATH: prints the body of the answer, and fails unless the status is 200. Bash opens the connection.
fetch() {
  exec 3<>"/dev/tcp/${1%:*}/${1##*:}" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&3
  sed -n '1{/^HTTP\/1.[01] 200/!q1};/^\r$/,$p' <&3
}

# The newest PostgreSQL server on this machine.
postgres_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
  [ -x "$newest/bin/postgres" ] || fail "no PostgreSQL server is installed"
  printf '%s/bin\n' "$newest"
}

# PostgreSQL refuses to run as root. As root, the command runs as the user that Debian's package makes for PostgreSQL.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
  else
    "$@"
  fi
}

make_work_dir() {
  work_dir=$(mktemp -d /tmp/pg_integrity.XXXXXX)
  log_file=$work_dir/log
  chmod 755 "$work_dir"
}
