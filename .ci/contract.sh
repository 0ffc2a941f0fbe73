#!/usr/bin/env bash
# The contract tests against an embedded cluster in a process of its own: over plain HTTPS, in real time, with processes
# that are killed. Against a real cluster: KUBECONFIG=… npm run test:cluster
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
sim=
trap '[ -z "$sim" ] || kill "$sim" 2>/dev/null || true; rm -rf "$work"' EXIT
node infra/setup.mjs
mkdir -p out
node_modules/.bin/node sim/main.ts --kubeconfig-out "$work/kubeconfig" >&2 &
sim=$!
for _ in $(seq 300); do [ -s "$work/kubeconfig" ] && break; sleep 0.2; done
# Most of its time is waiting for guests, so many cases may run at once.
node_modules/.bin/node test/contract/main.ts --kubeconfig "$work/kubeconfig" --install-crds --at-once 24 --junit out/contract.xml
