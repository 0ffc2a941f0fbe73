#!/usr/bin/env bash
# What is packaged for AWS, held against real things: CloudFormation's schema (cfn-lint), Lambda's own runtime client
# (aws-lambda-ric, which is compiled when it is installed), and an EventBridge that is not ours (moto).
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh

need=()
command -v cmake >/dev/null || need+=(cmake)
command -v g++ >/dev/null || need+=(g++)
command -v make >/dev/null || need+=(make)
command -v xz >/dev/null || need+=(xz-utils)
python3 -c 'import venv, ensurepip' 2>/dev/null || need+=(python3 python3-venv)
# The runtime client is a Node-API addon: any Node's headers will do, those of the Node that is here or Debian's.
headers() {
  local node
  node=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  for dir in "$node" /usr /usr/local; do [ -f "$dir/include/node/node_api.h" ] && echo "$dir" && return 0; done
  return 1
}
headers >/dev/null || need+=(libnode-dev)
install_packages "${need[@]}"
npm_config_nodedir=$(headers)
export npm_config_nodedir

tools=out/aws-tools
wanted='cfn-lint==1.58.0 moto[server]==5.2.5'
if [ "$(cat "$tools/installed" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$tools" && python3 -m venv "$tools"
  # shellcheck disable=SC2086
  "$tools/bin/pip" install --quiet --disable-pip-version-check $wanted
  echo "$wanted" > "$tools/installed"
fi

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$tools/bin/moto_server" -H 127.0.0.1 -p "$port" >/dev/null 2>&1 &
background=$!
for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.2; done

MOTO_URL="http://127.0.0.1:$port" npm run --silent test:aws
# W3005: the packager writes DependsOn where a GetAtt says it already.
"$tools/bin/cfn-lint" --ignore-checks W3005 -- .serverless/cloudformation-template-update-stack.json
echo "aws: cfn-lint has nothing to say"
