#!/usr/bin/env bash
# The command blocks of README and docs/, with kubectl and helm themselves (npm test runs them with stand-ins).
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
command -v kubectl > /dev/null || install_packages kubernetes-client
find_helm
mkdir -p "$work/bin"
[ "$helm" -ef "$work/bin/helm" ] || ln -s "$helm" "$work/bin/helm"
node infra/setup.mjs
DOCS=all PATH="$work/bin:$PATH" node_modules/.bin/node node_modules/vitest/vitest.mjs run test/docs/docs.test.ts
