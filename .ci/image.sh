#!/usr/bin/env bash
# Builds infra/container/Dockerfile without a daemon, and runs what it makes against the embedded cluster: as a uid that
# no list of users has, on a root that cannot be written, without HOME. Keeps image, bill of materials and provenance in
# out/image.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/common.sh
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
command -v buildah > /dev/null || install_packages buildah
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
storage() { buildah --root "$work/storage" --runroot "$work/run" "$@"; }
node infra/setup.mjs

# By its digest where a release names it so (docs/releasing.md).
base=${NODE_IMAGE:-$(sed -n 's/^ARG NODE_IMAGE=//p' infra/container/Dockerfile)}
if ! timeout 60 buildah --root "$work/storage" --runroot "$work/run" pull -q "docker.io/library/$base" > /dev/null 2>&1; then
  echo "image: no registry has $base for us, so its place takes one out of Debian packages" >&2
  base=${base%@*}
  BUILDAH="--root $work/storage --runroot $work/run" infra/container/base.sh "$base" "$work/base"
fi
# npm within the build asks the registry that npm here asks, and trusts whom this machine trusts.
cat "$(npm config get userconfig)" > "$work/npmrc" 2> /dev/null || true
printf '\ncafile=/etc/ssl/machine.crt\n' >> "$work/npmrc"
storage bud -q --pull-never --timestamp 0 --volume "$work/npmrc:/root/.npmrc:ro" \
  --volume /etc/ssl/certs/ca-certificates.crt:/etc/ssl/machine.crt:ro --build-arg NODE_IMAGE="$base" \
  -f infra/container/Dockerfile -t wukong-lifecycle . > "$work/id"

container=$(storage from --pull-never wukong-lifecycle)
root=$(storage mount "$container")
trap 'kill "$background" 2>/dev/null || true; storage umount -a > /dev/null; rm -rf "$work"' EXIT
mkdir -p "$root/mnt"
start_cluster
mkdir "$work/outside" && cp "$work/kubeconfig" "$work/outside/kubeconfig" && chmod -R a+rX "$work/outside"
# Arguments of the program; in the image's own folder and environment, as the kubelet would start it.
in_image() {
  unshare --mount sh -euc '
    root=$1 outside=$2; shift 2
    echo $$ > "$outside.pid"
    mount --bind "$root" "$root"
    mount --bind "$outside" "$root/mnt"
    mount -t proc proc "$root/proc"
    mount -o remount,bind,ro "$root"
    if touch "$root/app/written" 2> /dev/null; then echo "the root can be written" >&2; exit 1; fi
    exec env -i PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production KUBECONFIG=/mnt/kubeconfig LIFECYCLE_NAMESPACE=default \
      /usr/sbin/chroot --userspec=1000680000:0 "$root" /usr/local/bin/node /app/cli/inCluster.ts "$@"
  ' in_image "$root" "$work/outside" "$@"
}
in_image version
in_image reconcile --once --output=json | tee "$work/tick"
grep -q '"outcome"\|"wukongs"' "$work/tick"
in_image serve --port 0 --host 127.0.0.1 > "$work/served" 2>&1 &
server=$!
answers() { # PATH LINE: whether the server says so within a minute
  for _ in $(seq 300); do
    local port
    port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' "$work/served" | head -n 1)
    [ -n "$port" ] && curl -sf "http://127.0.0.1:$port$1" | grep "$2" > /dev/null && return 0
    kill -0 "$server" || break
    sleep 0.2
  done
  cat "$work/served" >&2
  return 1
}
answers /readyz ok
answers /metrics '^wukong_leader 1'
answers /metrics '^wukong_ticks_done_total [1-9]'
kill "$(cat "$work/outside.pid")" # its shell has been replaced by the server
wait "$server" || { echo "the server ended with $? after SIGTERM" >&2; cat "$work/served" >&2; exit 1; }

rm -rf out/image && mkdir -p out/image
storage push -q wukong-lifecycle "oci-archive:out/image/wukong-lifecycle.tar" > /dev/null
node infra/sbom.mjs out/image/sbom.json
node infra/provenance.mjs out/image/wukong-lifecycle.tar "$(storage inspect --format '{{.FromImageDigest}}' wukong-lifecycle)" > out/image/provenance.json
echo "image: $(du -h out/image/wukong-lifecycle.tar | cut -f1), built and run as a uid of its own on a read-only root"
