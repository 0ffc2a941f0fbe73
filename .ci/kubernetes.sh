#!/usr/bin/env bash
# Renders the kustomize overlays; holds them against the API server's own types and the restricted Pod Security Standard;
# applies them to the embedded cluster with kubectl; runs each CronJob's container there with its account's rights; and
# lets bash, zsh and fish complete `wukong` and `kubectl wukong`.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
overlays="cluster-wide namespaced"

command -v kubectl > /dev/null || install_packages kubernetes-client
. .ci/overlays.sh
node infra/setup.mjs
render_overlays "$work" $overlays
render infra/kubernetes/serve > "$work/serve.yaml"
for overlay in $overlays; do
  for role in stuck-pods skip-next adopt; do
    if grep -q "name: wukong-$role" "$work/$overlay.yaml"; then echo "$overlay: $role is not asked for" >&2; exit 1; fi
    grep -q "name: wukong-$role" "$work/$overlay-optional.yaml"
  done
done

# As docs/deploy-kubernetes.md says it is copied for another team.
cp -r "$work/infra/kubernetes/namespaced" "$work/infra/kubernetes/team-b"
sed -i 's/team-a/team-b/g' "$work/infra/kubernetes/team-b/kustomization.yaml"
if render "$work/infra/kubernetes/team-b" | grep team-a; then echo "team-b: something of team-a is left" >&2; exit 1; fi

if command -v go > /dev/null; then
  (cd test/kubernetes/strict && go build -o "$work/strict" .)
  for rendered in "$work"/*.yaml; do "$work/strict" < "$rendered"; done
else
  echo "kubernetes: without Go the rendered objects are not held against the API server's own types" >&2
fi

# Each rule of kubeconfigs beside this kubectl.
KUBECTL_ROWS=yes node_modules/.bin/node node_modules/vitest/vitest.mjs run test/cli/kubeconfig.test.ts test/cli/runs.test.ts

RENDERED="$work" node_modules/.bin/node node_modules/vitest/vitest.mjs run --config test/kubernetes/vitest.config.ts

start_cluster
export KUBECONFIG="$work/kubeconfig"
kubectl create namespace team-a
for overlay in $overlays; do
  kubectl apply --server-side --force-conflicts -f "$work/$overlay.yaml"
  kubectl apply --server-side --force-conflicts -f "$work/$overlay.yaml" > /dev/null # and again, as an update would
done
kubectl get cronjob,networkpolicy,serviceaccount -A
kubectl delete -f "$work/cluster-wide.yaml" --ignore-not-found > /dev/null

for shell in zsh fish; do command -v "$shell" > /dev/null || install_packages "$shell"; done
[ -f /usr/share/bash-completion/bash_completion ] || install_packages bash-completion
kubectl create namespace team-x
kubectl apply -f - <<'YAML'
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: { name: worker, namespace: team-x }
spec: { cpu: 1, memory: 64Mi }
YAML
test/shells/main.sh "$work/shells"
echo "kubernetes: both overlays render, are taken, and their CronJobs do their work with no more rights than they have"
