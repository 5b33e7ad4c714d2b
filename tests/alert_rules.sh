#!/usr/bin/env bash
# Checks the rules of alerts/, their tests, Alertmanager's configuration, and the receiver of each alert.
set -euo pipefail
cd "$(dirname "$0")/.."

promtool check rules --lint=all --lint-fatal alerts/*.rules.yml
printf '%s\n' alerts/tests/*_test.yml | xargs -P "$(nproc)" -n 1 promtool test rules
amtool check-config alerts/alertmanager.yml
tests/month/scale_test.py

# receiver_of NAME SEVERITY: prints the receiver that such an alert is meant for.
receiver_of() {
  case $1/$2 in
    PgIntegrityWatchdog/*) echo deadman ;;
    */critical) echo pager ;;
    */warning) echo tickets ;;
    *) echo nobody ;;
  esac
}

# Name and severity of each alert, one a line.
alerts() {
  sed -nE 's/^ *- alert: (.*)/\1/p; s/^ *labels: \{ severity: ([a-z]+),.*/\1/p' alerts/*.rules.yml | paste -d ' ' - -
}

routed=0
while read -r name severity; do
  said=$(amtool config routes test --config.file=alerts/alertmanager.yml \
    --verify.receivers="$(receiver_of "$name" "$severity")" \
    alertname="$name" severity="$severity" server=shop 2>&1) || {
    printf '%s (%s):\n%s\n' "$name" "$severity" "$said" >&2
    exit 1
  }
  routed=$((routed + 1))
done < <(alerts)
[ "$routed" = "$(cat alerts/*.rules.yml | grep -c -- '- alert: ')" ]
echo "$routed alerts go where their severity says"
