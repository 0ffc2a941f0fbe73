#!/usr/bin/env bash
# Holds the embedded cluster against the recording of the real one: a part of its rows, over plain HTTPS, in real time.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
tools=../shared/tools
if [ ! -d "$tools" ]; then
  echo "recording: $tools is not here, so nothing is compared" >&2
  exit 1
fi
start_cluster
node "$tools/record-lifecycle.mjs" --kubeconfig "$work/kubeconfig" --out "$work/mine.jsonl" --only running,stopping
# Only the states that were recorded are compared.
grep -E '"state":"(running|stopping)"' test/data/kubevirt-1.9-lifecycle.jsonl > "$work/reference.jsonl"
node "$tools/compare-lifecycle.mjs" "$work/reference.jsonl" "$work/mine.jsonl"
