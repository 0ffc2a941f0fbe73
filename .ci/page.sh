#!/usr/bin/env bash
# Opens the page in Debian's Chromium, which it installs: axe-core, keyboard, no request, first paint.
#   .ci/page.sh [FOLDER]   FOLDER: keeps pages, screenshots and prints there, to be looked at
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

chromium=${CHROMIUM:-$(command -v chromium || true)}
if [ -z "$chromium" ]; then
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null
  chromium=$(command -v chromium)
fi
node infra/setup.mjs test/page/browser
# Its profile and all that it writes go with the folder.
CHROMIUM="$chromium" TMPDIR="$work" node_modules/.bin/node test/page/browser/page.mjs "${1:-$work/pages}" > "$work/seen" ||
  { cat "$work/seen" >&2; exit 1; }
cat "$work/seen" >&2
echo "page: $(tail -n 1 "$work/seen")"
