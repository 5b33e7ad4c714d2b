#!/bin/sh
# A dump without its end, and one that is encrypted.
set -eu
head -c 1500 "$CASE/dumps/whole.sql" >"$CASE/dumps/cut.sql"
openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in "$CASE/dumps/whole.sql" -out "$CASE/dumps/whole.sql.enc"
