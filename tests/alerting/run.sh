#!/usr/bin/env bash
# Compares alerts/ and dashboards/ with the exporter's catalogue, lints the dashboards, renders messages, and checks that
# all generated files are current.
#
#   tests/alerting/run.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
python=(/usr/bin/python3 -B)

tests/regenerate.sh --check "$program"
"${python[@]}" tests/alerting/generators_test.py "$program"
"${python[@]}" tests/alerting/checks_test.py "$program"
"${python[@]}" tests/alerting/contract.py "$program"
"${python[@]}" tests/alerting/messages_test.py
"${python[@]}" tests/alerting/worst_night_test.py
"${python[@]}" tests/alerting/relabel_test.py
"${python[@]}" tests/alerting/dashboard_lint.py
