#!/usr/bin/env bash
# Opens the page in Debian's Chromium: axe-core, keyboard, no request, first paint. FOLDER: where screenshots go.
#   .ci/page.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
node infra/setup.mjs test/page/browser
if ! command -v chromium > /dev/null; then
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null
fi
CHROMIUM=$(command -v chromium) node_modules/.bin/node test/page/browser/page.mjs "$@"
