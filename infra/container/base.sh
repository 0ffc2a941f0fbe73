#!/usr/bin/env bash
# The base of infra/container/Dockerfile out of Debian packages, where no registry of images is within reach: the exact
# Node that the project is tested with, npm, and what a shell needs. Local name: as the Dockerfile's.
#   infra/container/base.sh NAME [FOLDER]   FOLDER: where packages are kept, default a temporary one
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1
folder=${2:-$(mktemp -d)}
# Options of buildah: where it keeps its images.
read -ra options <<< "${BUILDAH:-}"
node=node_modules/node/bin/node
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

mkdir -p "$folder/packages" "$folder/root"
# What a program of C++ and the Dockerfile's own RUN lines need; no package manager.
(cd "$folder/packages" && apt-get download -qq base-files ca-certificates coreutils dash debianutils libacl1 libattr1 \
  libc6 libcrypt1 libgcc-s1 libgmp10 libpcre2-8-0 libselinux1 libstdc++6 tzdata)
for package in "$folder"/packages/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
cat "$folder"/root/usr/share/ca-certificates/mozilla/*.crt > "$folder/root/etc/ssl/certs/ca-certificates.crt"
ln -sf dash "$folder/root/bin/sh"
printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' > "$folder/root/etc/passwd"
mkdir -p "$folder/root/usr/local/bin" "$folder/root/usr/local/lib/node_modules" "$folder/root/home/node"
install -m 755 "$node" "$folder/root/usr/local/bin/node"
cp -rL "$npm" "$folder/root/usr/local/lib/node_modules/npm"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$folder/root/usr/local/bin/npm"

container=$(buildah "${options[@]}" from scratch)
buildah "${options[@]}" copy -q "$container" "$folder/root" / > /dev/null
buildah "${options[@]}" config --env PATH=/usr/local/bin:/usr/bin:/bin --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
buildah "${options[@]}" commit -q "$container" "docker.io/library/$name" > /dev/null
buildah "${options[@]}" rm "$container" > /dev/null
echo "base: docker.io/library/$name, out of $(ls "$folder/packages" | wc -l) Debian packages" >&2
