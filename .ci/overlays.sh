# Renders overlays. Sourced after common.sh.

# The kustomize within an old kubectl, as Debian 12 has it, knows neither components nor changed kinds.
if command -v kubectl > /dev/null && kubectl kustomize infra/kubernetes/cluster-wide > /dev/null 2>&1; then
  render() { kubectl kustomize "$1"; }
else
  GOBIN="$work" go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
  render() { "$work/kustomize" build "$1"; }
fi

# To FOLDER, each OVERLAY as it is, and once with the optional Roles that stand there as comments (OVERLAY-optional).
render_overlays() {
  local to=$1 overlay
  shift
  mkdir "$work/infra" && cp -r infra/crds infra/rbac infra/kubernetes "$work/infra"
  sed -i 's/^  # - \(.*rbac\)/  - \1/' "$work/infra/kubernetes/cluster-wide/kustomization.yaml"
  sed -i 's/^# components:/components:/; s/^#   - /  - /' "$work/infra/kubernetes/namespaced/kustomization.yaml"
  for overlay in "$@"; do
    render "infra/kubernetes/$overlay" > "$to/$overlay.yaml"
    render "$work/infra/kubernetes/$overlay" > "$to/$overlay-optional.yaml"
  done
}
