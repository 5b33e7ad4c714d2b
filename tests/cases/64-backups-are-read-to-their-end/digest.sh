#!/bin/sh
# The digest of a plain dump, as its job would write it.
set -eu
cd "$CASE/dumps"
rm 3.dump
sha256sum 4.dump >4.dump.sha256
