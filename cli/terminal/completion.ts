import {
  checkChoice,
  type CliCommand,
  commonOptions,
  exitCodes,
  type Options,
  UsageError,
  wukongNames,
} from '../command.ts';
import { helpOf } from './help.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const completion: CliCommand = {
  summary: 'prints a completion script for your shell',
  help: helpOf({
    usage: ['completion bash|zsh|fish'],
    options: {},
    examples: [
      'bash: source <(wukong completion bash)',
      'zsh:  source <(wukong completion zsh)',
      'fish: wukong completion fish | source',
    ],
  }),
  options: {},
  positionals: true,
  completes: shells,
  run: async (_values, io, [shell, ...more]) => {
    if (shell === undefined || more.length > 0) throw new UsageError('expected one of bash, zsh, fish');
    checkChoice('found', shell, shells);
    const { commands } = await import('../commands.ts');
    const known = await Promise.all(
      Object.entries(commands).map(async ([name, load]) => ({ name, ...(await load()) })),
    );
    io.out(scripts[shell as (typeof shells)[number]](known));
    return exitCodes.done;
  },
};

type Known = CliCommand & { name: string };

const flagsOf = (options: Options) => Object.entries({ ...options, ...commonOptions });
const valued = (known: Known[]) =>
  [...new Set(known.flatMap(({ options }) => flagsOf(options).filter(([, { type }]) => type === 'string')))]
    .flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])])
    .filter((flag, i, all) => all.indexOf(flag) === i);

/** Names are asked of the cluster, with the options that say which one. */
const scripts: Record<(typeof shells)[number], (known: Known[]) => string> = { bash, zsh, fish };

function bash(known: Known[]): string {
  const cases = known.map(({ name, options, completes = [] }) => {
    const flags = flagsOf(options).map(([flag]) => `--${flag}`);
    const words = completes.map((word) => (word === wukongNames ? '$(_wukong_names)' : word));
    return `    ${name}) flags="${flags.join(' ')}"; words="${words.join(' ')}" ;;`;
  });
  return `# bash completion of wukong
_wukong_names() {
  local i where=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -n|--namespace|--context|--kubeconfig) where+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i+1]}") ;;
    esac
  done
  wukong state -o name "\${where[@]}" 2>/dev/null | sed 's|.*/||'
}
_wukong() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" flags="" words=""
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${known.map(({ name }) => name).join(' ')} help" -- "$cur"))
    return
  fi
  case "$prev" in
${choices(known)
  .map(
    ({ flags, values }) =>
      `    ${flags.join('|')}) COMPREPLY=($(compgen -W "${values.join(' ')}" -- "$cur")); return ;;`,
  )
  .join('\n')}
    --kubeconfig|--kubeconfig-out|--schedule) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${valued(known).join('|')}) return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) words="${known.map(({ name }) => name).join(' ')}" ;;
  esac
  if [[ "$cur" == -* ]]; then words="$flags"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _wukong wukong kubectl-wukong
`;
}

function choices(known: Known[]): { flags: string[]; values: readonly string[] }[] {
  const byFlag = new Map<string, { flags: string[]; values: readonly string[] }>();
  for (const { options } of known)
    for (const [name, { choices: values, short }] of flagsOf(options)) {
      if (!values || (byFlag.get(name)?.values.length ?? 0) >= values.length) continue;
      byFlag.set(name, { flags: [`--${name}`, ...(short ? [`-${short}`] : [])], values });
    }
  return [...byFlag.values()];
}

/** zsh runs the bash script; so both complete the same. */
function zsh(known: Known[]): string {
  return `#compdef wukong kubectl-wukong
autoload -Uz compinit bashcompinit
(( $+functions[compdef] )) || compinit
bashcompinit
${bash(known)}`;
}

function fish(known: Known[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  const lines = [
    '# fish completion of wukong',
    fishNames,
    'complete -c wukong -f',
    'complete -c wukong -n __fish_use_subcommand -a help',
    `complete -c wukong -n '__fish_seen_subcommand_from help' -a ${quote(known.map(({ name }) => name).join(' '))}`,
  ];
  for (const { name, summary, options, completes = [] } of known) {
    lines.push(`complete -c wukong -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`);
    const here = `complete -c wukong -n '__fish_seen_subcommand_from ${name}'`;
    for (const [flag, { short, type, about, choices: values }] of flagsOf(options)) {
      const argument = type === 'string' ? (/^(kubeconfig|schedule)/.test(flag) ? ' -r -F' : ' -x') : '';
      const words = values ? ` -a ${quote(values.join(' '))}` : '';
      lines.push(
        `${here} -l ${flag}${short ? ` -s ${short}` : ''}${argument}${words}${about ? ` -d ${quote(about)}` : ''}`,
      );
    }
    const words = completes.map((word) => (word === wukongNames ? '(__wukong_names)' : word));
    if (words.length > 0) lines.push(`${here} -a ${quote(words.join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}

const fishNames = `function __wukong_names
  set -l typed (commandline -opc)
  set -l where
  for i in (seq (count $typed))
    switch $typed[$i]
      case -n --namespace --context --kubeconfig
        set -a where $typed[$i] $typed[(math $i + 1)]
    end
  end
  wukong state -o name $where 2>/dev/null | string replace -r '.*/' ''
end`;
