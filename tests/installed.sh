#!/usr/bin/env bash
# Checks what a package installs beside the program: examples, the first configuration, completions, units, versions.
#
#   tests/installed.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/.."
unset DATA_SOURCE_NAME "${!PG@}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
wrong() {
  printf '%s\n' "$*" >&2
  failed=1
}

# check_config FILE: what `config check` says against a file.
check_config() { { "$program" config check --config "$1" >/dev/null; } 2>&1; }

examples() {
  local file said seen=0
  for file in deploy/examples/*.toml; do
    seen=$((seen + 1))
    said=$(check_config "$file") || wrong "$file: $said"
    grep -q '^# Rights: ' "$file" || wrong "$file: no paragraph \"# Rights: …\""
    grep -q "($(basename "$file"))" deploy/examples/README.md || wrong "$file: not in deploy/examples/README.md"
  done
  [ $seen -ge 13 ] || wrong "only $seen examples"
  sed 's/^dsn = .*/&\nsurprise = 1/' deploy/examples/smallest.toml >"$work/wrong.toml"
  ! check_config "$work/wrong.toml" >/dev/null || wrong "a wrong key in an example is not found"
}

# The package's configuration is refused until one line is edited.
first_configuration() {
  local said
  said=$(check_config deploy/package/config.toml) && wrong "the unedited configuration is accepted"
  [[ $said == *"config.toml:16:1: the connection string cannot be read. HINT: "* ]] || wrong "the unedited configuration: $said"
  sed 's/YOUR DATABASE/shop/' deploy/package/config.toml >"$work/config.toml"
  said=$(check_config "$work/config.toml") || wrong "the edited configuration: $said"
}

# completes EXPECTED WORD...: the words that bash offers for the last word.
completes() {
  local expected=$1 offered
  shift
  offered=$(
    # shellcheck source=deploy/package/completion.bash
    . deploy/package/completion.bash
    # shellcheck disable=SC2034  # read by the completion
    COMP_WORDS=(pg_integrity_exporter "$@") COMP_CWORD=$#
    _pg_integrity_exporter
    echo "${COMPREPLY[*]}"
  )
  [ "$offered" = "$expected" ] || wrong "completion of \"$*\": \"$offered\" instead of \"$expected\""
}

completions() {
  completes 'drill' dr
  completes 'check' config c
  completes 'json' check --format j
  completes '--proof-only' drill --proof
  completes '--config --config.file' drill --server x --conf
  completes '' check --listen ''
  completes 'deploy/package/config.toml' check --config deploy/package/config.t
}

# Units, the default path in the program, and the account of the database role agree.
units() {
  local unit
  for unit in deploy/systemd/*.service; do
    grep -q '^ExecStart=/usr/bin/pg_integrity_exporter\( drill\( --proof-only\)\?\)\?$' "$unit" || wrong "$unit: ExecStart"
    grep -q "^u $(sed -n 's/^User=//p' "$unit") " deploy/systemd/*.conf || wrong "$unit: its account is made nowhere"
  done
  strings -a "$program" | grep -cx /etc/pg_integrity_exporter/config.toml >/dev/null ||
    wrong "the program has another path of its configuration"
}

# One version: that of CMakeLists.txt.
versions() {
  local version
  version=$("$program" --version | cut -d ' ' -f 2)
  grep -q "^project(pg_integrity_exporter VERSION $version " CMakeLists.txt || wrong "the program is $version"
  grep -q "^appVersion: \"$version\"$" deploy/kubernetes/chart/Chart.yaml || wrong "the chart is not for $version"
}

examples
first_configuration
completions
units
versions
[ $failed = 0 ] && echo "examples, configuration, completions, units and versions are as they should be"
