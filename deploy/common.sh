# Shared by quickstart.sh and tests/run.sh: progress, packages, builds, throwaway PostgreSQL. Sourced, not run.
# shellcheck shell=bash

# shellcheck disable=SC2034  # used by those who source this
BUILD_PACKAGES=(g++ cmake ninja-build pkg-config libpqxx-dev libpq-dev libcpp-httplib-dev
  libtomlplusplus-dev libspdlog-dev prometheus-cpp-dev libcli11-dev nlohmann-json3-dev
  libhowardhinnant-date-dev libssl-dev zlib1g-dev libcurl4-openssl-dev tzdata)

work_dir=''   # everything temporary is in here; see make_work_dir
log_file=''

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

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo -- "$@"
  else
    fail "packages must be installed: $*" "run this as root, or install sudo"
  fi
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# Installs packages without starting what they bring, and without a default PostgreSQL cluster.
install_packages() {
  local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf
  local made_policy=0 status=0
  if [ ! -e "$policy" ]; then
    made_policy=1
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
  fi
  if [ ! -e "$cluster" ]; then
    as_root sh -c "mkdir -p ${cluster%/*} && echo 'create_main_cluster = false' >$cluster"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || status=$?
  [ $status != 0 ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" || status=$?
  [ $made_policy = 0 ] || as_root rm -f "$policy"
  return $status
}

# need_packages PACKAGE...: installs what is not there yet.
need_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086  # a list of names
  step "installing $(wc -w <<<"$missing") packages" install_packages $missing ||
    fail "packages could not be installed" "see the end of the log above"
}

configure_and_build() { cmake --preset "$1" && cmake --build --preset "$1"; }

# The newest PostgreSQL server on this machine.
postgres_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
  [ -x "$newest/bin/postgres" ] || fail "no PostgreSQL server is installed"
  printf '%s/bin\n' "$newest"
}

# Servers refuse to run as root: then they run as the user that Debian's package makes for them.
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
