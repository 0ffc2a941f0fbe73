#!/usr/bin/env bash
# The Helm chart: linted; each of its forms held equal to kustomize's output, object by object; installed and upgraded on
# the embedded cluster, with the CRD.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh

find_helm
node infra/setup.mjs
mkdir "$work/rendered"
. .ci/overlays.sh
render_overlays "$work/rendered" cluster-wide namespaced serve
rm -f "$work/rendered/serve-optional.yaml"

"$helm" lint --strict infra/chart
HELM=$helm RENDERED="$work/rendered" node_modules/.bin/node node_modules/vitest/vitest.mjs run --config test/kubernetes/chart/vitest.config.ts

start_cluster
export KUBECONFIG="$work/kubeconfig"
command -v kubectl > /dev/null || install_packages kubernetes-client
crd=wukongschedules.vm.novasphere.dev
# A cluster that helm brought the CRDs to, one of them of an older version, as an earlier release has left it.
kubectl delete crd --ignore-not-found "$crd" clusterwukongschedules.vm.novasphere.dev wukongruns.vm.novasphere.dev
before=$work/older && cp -rL infra/chart "$before"
node_modules/.bin/node test/kubernetes/chart/older.ts "$before/files/crds/$crd.yaml"
"$helm" install wukong "$before" --namespace wukong-lifecycle --create-namespace
kubectl get crd "$crd" -o json | grep -q '"jitterSeconds"' && { echo "the older CRD is not older" >&2; exit 1; }
"$helm" upgrade wukong infra/chart --namespace wukong-lifecycle
kubectl get crd "$crd" -o json | grep -q '"jitterSeconds"'
kubectl get cronjob wukong-reconcile -n wukong-lifecycle
"$helm" upgrade wukong infra/chart --namespace wukong-lifecycle --set mode=serve
kubectl get deployment wukong-serve -n wukong-lifecycle
if kubectl get cronjob wukong-reconcile -n wukong-lifecycle 2> /dev/null; then
  echo "the tick's CronJob is still there beside the server" >&2
  exit 1
fi
"$helm" uninstall wukong --namespace wukong-lifecycle
kubectl get crd "$crd" > /dev/null # kept, with everybody's schedules
# CRDs that kubectl brought are not helm's until somebody says so: docs/deploy-kubernetes.md.
ours="clusterwukongschedules wukongruns wukongschedules"
for one in $ours; do kubectl delete crd "$one.vm.novasphere.dev" > /dev/null; done
kubectl apply --server-side -k infra/crds > /dev/null
if "$helm" install wukong infra/chart --namespace wukong-lifecycle 2> "$work/refused"; then
  echo "helm has taken CRDs that are not its own" >&2
  exit 1
fi
grep -q 'invalid ownership metadata' "$work/refused"
for one in $ours; do
  kubectl label crd "$one.vm.novasphere.dev" app.kubernetes.io/managed-by=Helm
  kubectl annotate crd "$one.vm.novasphere.dev" meta.helm.sh/release-name=wukong meta.helm.sh/release-namespace=wukong-lifecycle
done
"$helm" install wukong infra/chart --namespace wukong-lifecycle
# A second installation for all namespaces would do everything twice: helm says whose the first is, and does nothing.
if "$helm" install wukong infra/chart --namespace elsewhere --create-namespace 2> "$work/refused"; then
  echo "two releases serve all namespaces" >&2
  exit 1
fi
grep -q 'release-namespace' "$work/refused"
"$helm" uninstall wukong --namespace wukong-lifecycle
for team in team-a team-b; do
  "$helm" install wukong infra/chart --namespace "$team" --create-namespace --set mode=serve --set-json "namespaces=[\"$team\"]"
done
for team in team-a team-b; do
  kubectl get deployment wukong-serve -n "$team" > /dev/null
  "$helm" uninstall wukong --namespace "$team"
done
echo "chart: as kustomize makes it; installed, upgraded with its CRD, changed to serve, removed; CRDs handed over from kubectl; a second one refused, one for each of two teams not"
