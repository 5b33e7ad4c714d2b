#!/bin/sh
# Takes the calls of setval() out of a plain dump.
set -eu
sed '/setval/d' "$CASE/dumps/whole.sql" >"$CASE/dumps/without.dump"
