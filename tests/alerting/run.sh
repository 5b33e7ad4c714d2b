#!/usr/bin/env bash
# Holds alerts/ and dashboards/ against the exporter's catalogue, lints the dashboards, and sees that what is
# generated is what is committed.
#
#   tests/alerting/run.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
python=(/usr/bin/python3 -B)

"${python[@]}" tests/alerting/checks_test.py "$program"
"${python[@]}" tests/alerting/contract.py "$program"
"${python[@]}" tests/alerting/dashboard_lint.py

anew=$(mktemp -d)
trap 'rm -rf "$anew"' EXIT

# is_current DIRECTORY PATTERN: what DIRECTORY/generate.py writes is what is committed, file by file.
is_current() {
  mkdir -p "$anew/$1"
  "${python[@]}" "$1/generate.py" "$anew/$1"
  for file in "$1"/$2 "$anew/$1"/*; do
    diff -q "$1/${file##*/}" "$anew/$1/${file##*/}" || {
      echo "HINT: run $1/generate.py and commit what it writes" >&2
      exit 1
    }
  done
  echo "$1/$2 is what $1/generate.py writes"
}
is_current dashboards '*.json'
is_current deploy/kubernetes '*.yaml'
