#!/bin/sh
# A dump whose tail is a hole.
set -eu
head -c 3000 "$CASE/dumps/1.dump" >"$CASE/dumps/3.dump"
truncate -s "$(stat -c %s "$CASE/dumps/1.dump")" "$CASE/dumps/3.dump"
rm "$CASE/dumps/1.dump" "$CASE/dumps/2.dump"
