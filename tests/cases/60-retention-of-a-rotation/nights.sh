#!/bin/sh
# nights.sh FIRST LAST: copies the dump to one of each night, by the hours of their age.
set -eu
rm -f "$CASE"/dumps/night-*.sql
night=$1
while [ "$night" -le "$2" ]; do
  cp "$CASE/dumps/new.dump" "$CASE/dumps/night-$night.sql"
  touch -d "$((night * 24 + 7)) hours ago" "$CASE/dumps/night-$night.sql"
  night=$((night + 1))
done
