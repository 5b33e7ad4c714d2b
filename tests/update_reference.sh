#!/usr/bin/env bash
# Writes the reference in README.md and deploy/grants.sql anew, as the program prints them.
#
#   tests/update_reference.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-build/release/exporter/pg_integrity_exporter}
"$program" catalogue >build/catalogue.md
sed -i -e '/^<!-- begin: pg_integrity_exporter catalogue -->$/r build/catalogue.md' \
  -e '/^<!-- begin: pg_integrity_exporter catalogue -->$/,/^<!-- end -->$/{/^<!--/!d}' README.md
"$program" grants --generic >deploy/grants.sql
