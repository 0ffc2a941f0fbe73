#!/usr/bin/env bash
# Renders the kustomize overlays with kubectl and applies them to the embedded cluster, whose API server refuses what
# its schemas do not allow.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
sim=
trap '[ -z "$sim" ] || kill "$sim" 2>/dev/null || true; rm -rf "$work"' EXIT

# kustomize comes with kubectl from 1.21 on, which Debian's package is not: then the module proxy has it.
if command -v kubectl >/dev/null && kubectl kustomize --help >/dev/null 2>&1 && kubectl kustomize infra/kubernetes/namespaced > /dev/null 2>&1; then
  render() { kubectl kustomize "$1"; }
else
  GOBIN="$work" go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
  render() { "$work/kustomize" build "$1"; }
fi
if ! command -v kubectl >/dev/null; then
  apt-get update -qq && apt-get install -y -qq kubernetes-client >/dev/null
fi

node infra/setup.mjs
node_modules/.bin/node sim/main.ts --kubeconfig-out "$work/kubeconfig" >&2 &
sim=$!
for _ in $(seq 300); do [ -s "$work/kubeconfig" ] && break; sleep 0.2; done
export KUBECONFIG="$work/kubeconfig"
kubectl create namespace team-a
for overlay in namespaced cluster-wide; do
  render "infra/kubernetes/$overlay" > "$work/$overlay.yaml"
  kubectl apply --server-side --force-conflicts -f "$work/$overlay.yaml" 2>&1 || kubectl apply -f "$work/$overlay.yaml"
done
kubectl get cronjob -A
kubectl get role,rolebinding -n team-a
kubectl get clusterrolebinding | grep wukong
[ "$(kubectl get cronjob -n wukong-lifecycle wukong-reconcile -o jsonpath='{.spec.concurrencyPolicy}')" = Forbid ]
echo "kubernetes: both overlays render and are taken"
