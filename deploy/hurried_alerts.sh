#!/usr/bin/env bash
# Copies alerts/ for demonstrations and tests, in which nobody waits for minutes. The copy of the rules differs in `for`
# and `keep_firing_for` alone. The copy of Alertmanager's configuration differs in its waits and receivers alone.
#
#   deploy/hurried_alerts.sh DIRECTORY              writes *.rules.yml, *.tmpl and alertmanager.yml; nobody is notified
#   deploy/hurried_alerts.sh DIRECTORY WEBHOOK_URL  each receiver is a webhook: WEBHOOK_URL/RECEIVER
set -euo pipefail

directory=$1
webhook=${2-}
cd "$(dirname "$0")/../alerts"

for rules in *.rules.yml; do
  sed -E 's/^( +for:) [0-9]+m$/\1 3s/; s/^( +keep_firing_for:) [0-9]+m$/\1 15s/' "$rules" >"$directory/$rules"
done

cp ./*.tmpl "$directory"
{
  sed -E '/^receivers:/,$d
    s/^( *group_wait:).*/\1 3s/; s/^( *group_interval:).*/\1 2s/' alertmanager.yml
  echo 'receivers:'
  sed -nE '/^receivers:/,$s/^  - name: (.*)/\1/p' alertmanager.yml | while read -r receiver; do
    echo "  - name: $receiver"
    [ -z "$webhook" ] || echo "    webhook_configs: [{ url: '$webhook/$receiver', send_resolved: true }]"
  done
} >"$directory/alertmanager.yml"
