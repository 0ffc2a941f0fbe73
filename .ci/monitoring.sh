#!/usr/bin/env bash
# Checks and tests the alerts with promtool; and, where there is Go, has a real kube-state-metrics read the embedded
# cluster with our configuration and a real Prometheus scrape that, and holds the series against the objects.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh

command -v promtool > /dev/null || install_packages prometheus
node infra/setup.mjs
node_modules/.bin/node test/monitoring/groups.ts > "$work/rules.yml"
cp infra/monitoring/rules.test.yaml "$work/rules.test.yaml"
promtool check rules "$work/rules.yml"
promtool test rules "$work/rules.test.yaml"

if ! command -v go > /dev/null; then
  echo "monitoring: without Go kube-state-metrics is not built, and its configuration not tried" >&2
  exit 0
fi
(cd test/monitoring/ksm && go build -o "$work/kube-state-metrics" k8s.io/kube-state-metrics/v2)
cat > "$work/prometheus.yml" << END
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: kube-state-metrics
    honor_labels: true
    static_configs: [{ targets: ['127.0.0.1:18080'] }]
END
promtool check config "$work/prometheus.yml"

start_cluster
cluster=$background
"$work/kube-state-metrics" --kubeconfig "$work/kubeconfig" --custom-resource-state-only \
  --custom-resource-state-config-file infra/monitoring/resource-state.yaml \
  --host 127.0.0.1 --port 18080 --telemetry-host 127.0.0.1 --telemetry-port 18081 > "$work/metrics.log" 2>&1 &
metrics=$!
prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/data" \
  --web.listen-address 127.0.0.1:19090 > "$work/prometheus.log" 2>&1 &
scraper=$!
trap 'kill "$cluster" "$metrics" "$scraper" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
  curl -fs http://127.0.0.1:19090/-/ready > /dev/null && break
  sleep 0.2
done
KUBECONFIG="$work/kubeconfig" node_modules/.bin/node test/monitoring/look.ts http://127.0.0.1:19090
# This promtool does not know the type stateset; the names and helps of its series are checked all the same.
curl -fs http://127.0.0.1:18080/metrics | sed "s/ stateset$/ gauge/" | promtool check metrics
