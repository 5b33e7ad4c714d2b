#!/bin/sh
# Overwrites 200 kB in the middle of the newest dump.
set -eu
dump=$CASE/dumps/$1
dd if=/dev/zero of="$dump" bs=1000 seek=$(($(stat -c %s "$dump") / 2000)) count=200 conv=notrunc 2>/dev/null
