#!/usr/bin/env bash
# main.sh FOLDER: completion as bash, zsh and fish themselves do it, of `wukong` and, with a kubectl that completes
# plugins (1.26 and newer), of `kubectl wukong`. Needs a cluster with the namespace team-x and in it the Wukong worker.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1
mkdir -p "$folder/bin"
for name in wukong kubectl-wukong kubectl_complete-wukong; do ln -sf "$PWD/cli/wukong.mjs" "$folder/bin/$name"; done
ln -sf "$PWD/node_modules/.bin/node" "$folder/bin/node"
export PATH="$folder/bin:$PATH"
cp "$KUBECONFIG" "$folder/contexts"
export KUBECONFIG="$folder/contexts"
kubectl config set-context arn:aws:eks:eu-1:7:cluster/x --cluster=sim --user=sim > /dev/null

# offers LINE WORD …: each shell offers the words, or has written the only one.
offers() {
  local line=$1 shell word said
  shift
  for shell in bash zsh fish; do
    if [ "$shell" = fish ]; then said=$(fish --no-config -c "source $folder/of.fish; complete -C '$line'")
    else said=$(timeout 30 zsh -f test/shells/type.zsh "$shell" "$folder/of.$shell" "$line" | tail -n +2) || true; fi
    for word in "$@"; do
      grep -qF -- "$word" <<< "$said" || { echo "completion: $shell: $line: expected $word, found: $said" >&2; exit 1; }
    done
  done
}

for shell in bash zsh fish; do wukong completion "$shell" > "$folder/of.$shell"; done
offers 'wukong sta' start state
offers 'wukong stop --names' --namespace
offers 'wukong stop -n team-' team-a team-x
offers 'wukong stop -n=team-' team-a team-x
offers 'wukong stop --namespace=team-x wor' worker
offers 'wukong -n team-x state wor' worker
offers 'wukong state --context s' sim
offers 'wukong state --context arn:aw' arn:aws:eks:eu-1:7:cluster/x
offers 'wukong state --context=arn:aw' arn:aws:eks:eu-1:7:cluster/x
offers 'wukong state --kubeconfig=package.' package.json
offers 'wukong state -o jsonpath' jsonpath= jsonpath-file=
offers 'kubectl-wukong repo' report
[ "$(fish --no-config -c "source $folder/of.fish; complete -C \"wukong stop -n 'team-x\"")" = team-x ]

if kubectl __complete wukong sta 2> /dev/null | grep -q '^start'; then
  kubectl completion bash > "$folder/kubectl.bash"
  cat /usr/share/bash-completion/bash_completion "$folder/kubectl.bash" > "$folder/of.bash"
  for shell in zsh fish; do kubectl completion "$shell" > "$folder/of.$shell"; done
  offers 'kubectl wukong sta' start state
  offers 'kubectl wukong stop -n team-' team-a team-x
  offers 'kubectl wukong stop -n team-x wor' worker
else
  echo "completion: this kubectl completes no plugins, so kubectl wukong is not tried" >&2
fi
echo "completion: bash, zsh and fish offer commands, options, namespaces, contexts, Wukongs and files"
