#!/usr/bin/env bash
# Starts Debian's Prometheus and Alertmanager beside an exporter, and shows the alerts that fire. Rules and routes are
# those of alerts/ with shorter waits (see hurried_alerts.sh). Nobody is notified.
#
#   deploy/stack.sh [HOST:PORT]      the address of the exporter, 127.0.0.1:10187 by default
#
# PROMETHEUS=127.0.0.1:9090 and ALERTMANAGER=127.0.0.1:9093 choose other addresses. Ctrl-C ends both and cleans up.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/common.sh

exporter=${1:-127.0.0.1:10187}
prometheus=${PROMETHEUS:-127.0.0.1:9090}
alertmanager=${ALERTMANAGER:-127.0.0.1:9093}
prometheus_pid='' alertmanager_pid=''

clean_up() {
  local pid
  for pid in $prometheus_pid $alertmanager_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work_dir"
}
on_end clean_up

make_work_dir
need_packages prometheus prometheus-alertmanager
for address in "$prometheus" "$alertmanager"; do
  ! listens "$address" || fail "something listens on $address already" \
    "stop it, or choose other addresses: PROMETHEUS=127.0.0.1:PORT ALERTMANAGER=127.0.0.1:PORT"
done

write_configuration() {
  deploy/hurried_alerts.sh "$work_dir"
  cat >"$work_dir/prometheus.yml" <<CONFIG
global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels: { pg_integrity_runbooks: '$PWD/alerts/runbooks' }
rule_files: ['$work_dir/*.rules.yml']
alerting:
  alert_relabel_configs: [{ regex: pg_integrity_(runbooks|report), action: labeldrop }]
  alertmanagers: [{ static_configs: [{ targets: ['$alertmanager'] }] }]
scrape_configs:
  - job_name: pg_integrity_exporter
    static_configs: [{ targets: ['$exporter'] }]
CONFIG
  install -d -m 755 "$work_dir/prometheus" "$work_dir/alertmanager"
}
write_configuration

# Prometheus and Alertmanager need no rights at all.
run_as=()
if [ "$(id -u)" = 0 ]; then
  run_as=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
  chown nobody: "$work_dir/prometheus" "$work_dir/alertmanager"
fi
"${run_as[@]}" prometheus-alertmanager --config.file="$work_dir/alertmanager.yml" --cluster.listen-address= \
  --storage.path="$work_dir/alertmanager" --web.listen-address="$alertmanager" \
  >"$work_dir/alertmanager.log" 2>&1 </dev/null &
alertmanager_pid=$!
"${run_as[@]}" prometheus --config.file="$work_dir/prometheus.yml" --storage.tsdb.path="$work_dir/prometheus" \
  --web.listen-address="$prometheus" >"$work_dir/prometheus.log" 2>&1 </dev/null &
prometheus_pid=$!

both_run() { kill -0 "$prometheus_pid" 2>/dev/null && kill -0 "$alertmanager_pid" 2>/dev/null; }

# Name and object of each alert that fires, the watchdog left out.
firing() {
  amtool --alertmanager.url="http://$alertmanager" alert query -o simple 'alertname!=PgIntegrityWatchdog' |
    sed -nE 's/^(PgIntegrity[A-Za-z]+) .*/\1/p' | sort | uniq -c | sed -E 's/^ +([0-9]+) (.*)/  \2 (\1)/'
}

wait_until_ready() {
  for _ in $(seq 300); do
    both_run || break
    (fetch "$prometheus" /-/ready && fetch "$alertmanager" /-/ready) >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  tail -n 5 "$work_dir/prometheus.log" "$work_dir/alertmanager.log"
  return 1
}
step "starting Prometheus and Alertmanager" wait_until_ready

say "  Prometheus:       http://$prometheus/alerts"
say "  Alertmanager:     http://$alertmanager/"
say "  Grafana:          PROMETHEUS_URL=http://$prometheus docker compose -f deploy/compose.yaml up"
# An alert fires after a scrape and `for`. Prometheus evaluates the groups one after another.
before='' unchanged=0 found=''
for _ in $(seq 40); do
  sleep 1
  both_run || break
  found=$(firing)
  if [ -n "$found" ] && [ "$found" = "$before" ]; then unchanged=$((unchanged + 1)); else unchanged=0; fi
  [ $unchanged -lt 4 ] || break
  before=$found
done
say "  Firing:"
say "${found:-  nothing}"
wait -n "$prometheus_pid" "$alertmanager_pid" || fail "Prometheus or Alertmanager has ended" "run it again"
