#!/usr/bin/env bash
# Other clients on the embedded cluster, to their end: kubectl's words beyond get and apply, client-go's informers (with
# and without streamed lists), what k9s asks, and Python's client.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
command -v kubectl > /dev/null || install_packages kubernetes-client
start_cluster --operator
export KUBECONFIG="$work/kubeconfig"

kubectl apply -f - <<'YAML'
apiVersion: vm.novasphere.dev/v1alpha1
kind: Wukong
metadata: { name: web, namespace: default }
spec: { cpu: 1, memory: 64Mi }
YAML
kubectl wait vm/web-vm --for=create --timeout=20s 2> /dev/null || sleep 2 # `create` is known since kubectl 1.31
kubectl wait vm/web-vm --for=condition=Ready --timeout=20s
# says PATTERN COMMAND …: what it prints has that, whatever its exit code.
says() {
  local wanted=$1 said
  shift
  said=$("$@" 2>&1) || true
  grep -q -- "$wanted" <<< "$said" || { echo "clients: $*: expected \"$wanted\", found: $said" >&2; exit 1; }
}

pod=$(kubectl get pods -o jsonpath='{.items[0].metadata.name}')
says 'is Running' kubectl logs "$pod" -c compute
kubectl create serviceaccount caller
token=$(kubectl create token caller --duration=10m)
if kubectl auth whoami --help > /dev/null 2>&1; then
  says '^admin$' kubectl auth whoami -o jsonpath='{.status.userInfo.username}'
  kubectl config view --raw --minify | sed "s/^    token: .*/    token: $token/" > "$work/caller"
  says 'system:serviceaccount:default:caller' kubectl --kubeconfig "$work/caller" auth whoami
fi
says yes kubectl auth can-i list wukongs
says no kubectl auth can-i list wukongs --as=somebody
says '\*\.\*' kubectl auth can-i --list
says 'User "somebody" cannot list resource "wukongs"' kubectl get wukongs --as=somebody
kubectl create clusterrole looks --verb=get,list --resource=wukongs.vm.novasphere.dev
kubectl create clusterrolebinding looks --clusterrole=looks --group=watchers
says 'wukong.vm.novasphere.dev/web' kubectl get wukongs --as=somebody --as-group=watchers -o name

kubectl create deployment serve --image=example.com/serve --replicas=1
kubectl scale deployment serve --replicas=3
says '^3$' kubectl get deployment serve -o jsonpath='{.spec.replicas}'
says 'gracePeriodSeconds' kubectl explain wukong.spec.lifecycleAction
says '^Name: *node01' kubectl describe node node01
says '^wukongs' kubectl api-resources --api-group=vm.novasphere.dev
says 'Metrics API not available' kubectl top nodes
says '^web ' timeout 5 kubectl get wukongs --watch --request-timeout=3s
kubectl label wukong web env=dev
kubectl annotate wukong web note=x
kubectl delete wukong web --timeout=20s
echo "clients: kubectl is served"

if command -v go > /dev/null; then
  (cd test/kubernetes/clients/informers && go build -o "$work/informers" .)
  for streamed in false true; do KUBE_FEATURE_WatchListClient=$streamed "$work/informers"; done
  "$work/informers" asks
else
  echo "clients: without Go its informers are not tried" >&2
fi

python3 -m venv "$work/python" 2> /dev/null || { install_packages python3-venv && python3 -m venv "$work/python"; }
"$work/python/bin/pip" install --quiet --disable-pip-version-check kubernetes==33.1.0
"$work/python/bin/python" test/kubernetes/clients/lists.py
echo "clients: kubectl, client-go and Python are served to their end"
