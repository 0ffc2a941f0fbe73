#!/usr/bin/env bash
# Licences of all packages, the bill of materials, and known advisories. An advisory is a warning and fails nothing: it
# comes from outside and on any day. A shipped package under a licence that is not on the list does fail.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "licences:"
node infra/licences.mjs

node infra/sbom.mjs

echo "advisories:"
found=$(mktemp)
trap 'rm -f "$found"' EXIT
npm audit --json --loglevel=silent > "$found" 2>/dev/null || true
node -e '
  let said = {};
  try { said = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")); } catch {}
  const counts = said.metadata?.vulnerabilities;
  if (!counts) {
    console.log("warning: the registry did not answer, so advisories are not known" + (said.statusCode ? ` (${said.statusCode})` : ""));
  } else if (counts.total === 0) console.log("none known");
  else for (const { name, severity, via } of Object.values(said.vulnerabilities))
    console.log(`warning: ${name}: ${severity}: ${via.map((one) => one.title ?? one).join("; ")}`);
' "$found"
