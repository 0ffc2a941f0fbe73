# What the parts share. Sourced at their top, after `cd` to the project.
work=$(mktemp -d)
background=
trap '[ -z "$background" ] || kill "$background" 2>/dev/null || true; rm -rf "$work"' EXIT

# Debian packages, where there are some to install.
install_packages() {
  [ $# -gt 0 ] || return 0
  echo "installing $*" >&2
  local as_root
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -qq >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
}

# The embedded cluster in a process of its own; its kubeconfig is $work/kubeconfig. Its options are
# those of `npm run sim`.
start_cluster() {
  node infra/setup.mjs
  node_modules/.bin/node sim/main.ts --kubeconfig-out "$work/kubeconfig" "$@" >&2 &
  background=$!
  for _ in $(seq 300); do
    [ -s "$work/kubeconfig" ] && return 0
    sleep 0.2
  done
  echo "the embedded cluster did not start within a minute" >&2
  return 1
}

# Sets $helm: the one of $HELM or of the PATH, else one that is built here.
find_helm() {
  helm=${HELM:-$(command -v helm || true)}
  [ -z "$helm" ] || return 0
  echo "building helm, which takes some minutes where it was not built before" >&2
  GOBIN="$work/bin" go install helm.sh/helm/v3/cmd/helm@v3.18.6
  helm=$work/bin/helm
}
