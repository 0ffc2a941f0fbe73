#!/usr/bin/env bash
# Holds the embedded cluster against the recording of the real one: a part of its rows, over plain HTTPS, in real time.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=../shared/tools
if [ ! -d "$tools" ]; then
  echo "recording: $tools is not here, so nothing is compared" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'kill "$sim" 2>/dev/null || true; rm -rf "$work"' EXIT
node infra/setup.mjs
node_modules/.bin/node sim/main.ts --kubeconfig-out "$work/kubeconfig" >&2 &
sim=$!
for _ in $(seq 300); do [ -s "$work/kubeconfig" ] && break; sleep 0.2; done
node "$tools/record-lifecycle.mjs" --kubeconfig "$work/kubeconfig" --out "$work/mine.jsonl" --only running,stopping
# Only the states that were recorded are compared.
grep -E '"state":"(running|stopping)"' test/data/kubevirt-1.9-lifecycle.jsonl > "$work/reference.jsonl"
node "$tools/compare-lifecycle.mjs" "$work/reference.jsonl" "$work/mine.jsonl"
