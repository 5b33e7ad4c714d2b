#!/usr/bin/env bash
# Writes all generated files: the reference, the grants, the alert rules with their table and tests, the dashboards,
# the copies of these for Kubernetes, the man page, the completions of shells, and the report's table of runbooks.
#
#   tests/regenerate.sh [PROGRAM]           writes them
#   tests/regenerate.sh --check [PROGRAM]   writes nothing; fails and shows the difference if anything is not current
set -euo pipefail

# The document with the reference between its markers.
reference=collectors/REFERENCE.md
# The folders of all generated files and of their sources.
parts=(alerts collectors dashboards deploy exporter/report)
python=(/usr/bin/python3 -B)

check=0
[ "${1-}" != --check ] || { check=1; shift; }
root=$(realpath "$(dirname "$0")/..")
program=$(realpath "${1:-$root/build/release/exporter/pg_integrity_exporter}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Files that are generated as a whole. They are removed first, so that a file that no generator writes does not stay.
whole_files() {
  ls alerts/*.rules.yml dashboards/*.json deploy/grants.sql
  ls deploy/kubernetes/{prometheus-rule,dashboards,chart/Chart,chart/files/rules}.yaml
  ls deploy/kubernetes/chart/files/dashboards/*.json
  ls exporter/report/runbook_table.cpp
  ls deploy/package/pg_integrity_exporter.1 deploy/package/completion.*
  grep -l '^# Written by alerts/generate.py' alerts/tests/*.yml
}

write_reference() {
  grep -q '^<!-- begin: pg_integrity_exporter catalogue -->$' "$reference"
  "$program" catalogue >"$work/catalogue.md"
  sed -i -e "/^<!-- begin: pg_integrity_exporter catalogue -->$/r $work/catalogue.md" \
    -e '/^<!-- begin: pg_integrity_exporter catalogue -->$/,/^<!-- end -->$/{/^<!--/!d}' "$reference"
}

mkdir "$work/copy"
cd "$root"
cp -a --parents "${parts[@]}" "$work/copy"
cd "$work/copy"
whole_files | xargs rm
write_reference
"$program" grants --generic >deploy/grants.sql
"${python[@]}" alerts/generate.py "$program"
"${python[@]}" dashboards/generate.py
"${python[@]}" deploy/kubernetes/generate.py "$program"
"${python[@]}" deploy/package/generate.py "$program"

cd "$root"
if [ $check = 0 ]; then
  whole_files | xargs rm -f
  cp -a "$work/copy/." .
  exit
fi
current=1
for part in "${parts[@]}"; do
  diff -ru --exclude=__pycache__ "$part" "$work/copy/$part" || current=0
done
[ $current = 1 ] || {
  echo "HINT: run tests/regenerate.sh and commit what it writes" >&2
  exit 1
}
echo "all that is generated is current"
