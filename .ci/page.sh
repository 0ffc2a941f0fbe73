#!/usr/bin/env bash
# Opens the pages in Debian's Chromium, which it installs: axe-core, keyboard, phone, paper, no request, first paint.
#   .ci/page.sh [FOLDER]   FOLDER: keeps pages, screenshots and prints there, to be looked at
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh

chromium=${CHROMIUM:-$(command -v chromium || true)}
if [ -z "$chromium" ]; then
  install_packages chromium
  chromium=$(command -v chromium)
fi
node infra/setup.mjs test/page/browser
# Its profile and all that it writes go with the folder.
CHROMIUM="$chromium" TMPDIR="$work" node_modules/.bin/node test/page/browser/page.mjs "${1:-$work/pages}" > "$work/seen" ||
  { cat "$work/seen" >&2; exit 1; }
cat "$work/seen" >&2
echo "page: $(tail -n 1 "$work/seen")"
CHROMIUM="$chromium" TMPDIR="$work" node_modules/.bin/node test/page/browser/ui.mjs "${1:-$work/pages}" >&2
