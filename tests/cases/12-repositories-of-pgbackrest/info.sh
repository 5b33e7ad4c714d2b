#!/bin/sh
# info.sh empty|unreachable|stale: what `pgbackrest info --output=json` prints of a fresh repository 1 and such a second.
set -eu
now=$(date +%s)

# backup REPOSITORY TYPE AGE
backup() {
  printf '{"archive": {"start": "000000010000000000000018", "stop": "000000010000000000000018"},
    "database": {"id": 1, "repo-key": %s}, "error": false, "type": "%s",
    "info": {"delta": 49387623, "repository": {"delta": 6378175, "size": 6378175}, "size": 49387623},
    "timestamp": {"start": %s, "stop": %s}}' "$1" "$2" $((now - $3)) $((now - $3 + 60))
}

case $1 in
  empty) status='{"code": 2, "message": "no valid backups"}' ;;
  unreachable) status='{"code": 99, "message": "[PathOpenError] unable to list file info for path: Permission denied"}' ;;
  stale) status='{"code": 0, "message": "ok"}' ;;
esac
cat >"$CASE/info.json" <<JSON
[{"name": "main", "cipher": "none",
  "status": {"code": $([ "$1" = stale ] && echo 0 || echo 4), "message": "", "lock": {"backup": {"held": false}}},
  "repo": [{"key": 1, "cipher": "none", "status": {"code": 0, "message": "ok"}}, {"key": 2, "cipher": "none", "status": $status}],
  "archive": [
    {"id": "15-1", "database": {"id": 1, "repo-key": 1}, "min": "000000010000000000000010", "max": "0000000100000000000000D1"},
    {"id": "15-1", "database": {"id": 1, "repo-key": 2}, "min": "000000010000000000000010", "max": "0000000100000000000000D1"}],
  "backup": [$(backup 1 full 86400), $(backup 1 incr 7200)$([ "$1" != stale ] || { printf ', '; backup 2 full 777600; })]}]
JSON
