#!/usr/bin/env bash
# The contract tests against an embedded cluster in a process of its own: over plain HTTPS, in real time, with processes
# that are killed. Against a real cluster: KUBECONFIG=… npm run test:cluster
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
mkdir -p out
start_cluster
# Most of its time is waiting for guests, so many cases may run at once.
node_modules/.bin/node test/contract/main.ts --kubeconfig "$work/kubeconfig" --install-crds --at-once 24 --junit out/contract.xml
