#!/usr/bin/env bash
# The README's commands in a fresh copy, in a folder whose name has a space and an umlaut in it; and the npm package.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
copy="$work/My Projects ü (mine)/wukong"
mkdir -p "$copy"
tar -c --exclude=node_modules --exclude=./.git --exclude=./out --exclude=./dist --exclude=./.serverless . | tar -x -C "$copy"
cd "$copy"
npm start
npm test -- "$@"
npx wukong version
npm run package --silent
npm run test:packaged
echo "fresh: all of it works in $copy"
