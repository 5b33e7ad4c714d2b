#!/bin/sh
# everything.sh rows|hollow: a dump of all databases, whole or without the rows of one.
set -eu
rm -f "$CASE"/dumps/*.dump
pg_dumpall -d "$CASE_DSN" >"$CASE/all.sql"
if [ "$1" = rows ]; then
  cp "$CASE/all.sql" "$CASE/dumps/all.dump"
else
  sed '/^COPY public.letter/,/^\\\.$/{/^[0-9]/d}' "$CASE/all.sql" >"$CASE/dumps/all.dump"
fi
