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
"${python[@]}" dashboards/generate.py "$anew"
for file in dashboards/*.json "$anew"/*.json; do
  diff -q "dashboards/${file##*/}" "$anew/${file##*/}" || {
    echo "HINT: run dashboards/generate.py and commit what it writes" >&2
    exit 1
  }
done
echo "the dashboards are what dashboards/generate.py writes"
