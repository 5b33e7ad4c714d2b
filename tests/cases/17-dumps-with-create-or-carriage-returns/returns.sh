#!/bin/sh
set -eu
sed 's/$/\r/' "$CASE/dumps/cleaned.sql" >"$CASE/dumps/returns.sql"
