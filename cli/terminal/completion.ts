import { checkChoice, type CliCommand, exitCodes, type Io, UsageError } from '../command.ts';
import { type Known, type Offers, offersFor } from './complete.ts';
import { helpOf } from './help.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

export const completion: CliCommand = {
  summary: 'prints a completion script for your shell',
  help: helpOf({
    usage: ['completion bash|zsh|fish'],
    about:
      'Completes commands, options and their values: names of Wukongs, of namespaces, and of contexts, clusters and users of the kubeconfig. kubectl completes kubectl wukong by itself where kubectl_complete-wukong is on the PATH, as it is once this is installed.',
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
  run: (_values, io, [shell, ...more]) => {
    if (shell === undefined || more.length > 0) throw new UsageError('expected one of bash, zsh, fish');
    checkChoice('found', shell, shells);
    io.out(scripts[shell as (typeof shells)[number]]);
    return Promise.resolve(exitCodes.done);
  },
};

/**
 * Prints what may stand in the place of the last word, in the form of cobra's `__complete`: a line each, with a tab and
 * what it is about; last `:4`, or `:0` where the shell offers files. What goes wrong is no offer.
 */
export async function complete(words: string[], known: Known, io: Io): Promise<number> {
  const offers: Offers = await offersFor(words, known, { ...io, err: () => {} }).catch(() => []);
  const typed = (words.at(-1) ?? '').replace(/^--?[^=]+=/, '');
  const found = offers === 'files' ? [] : offers.filter(({ value }) => value.startsWith(typed));
  for (const { value, about } of found) io.out(about ? `${value}\t${about}\n` : `${value}\n`);
  io.out(offers === 'files' ? ':0\n' : ':4\n');
  return exitCodes.done;
}

/** bash cuts words at `=` and `:`, so they are put together again. It has no mapfile on a Mac. */
const bash = `# bash completion of wukong
_wukong() {
  local words=() word last="" i line cur found="" files=""
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((\${#words[@]} > 0)) && { [[ "$word" == [=:]* ]] || [[ "$last" == -*= || "$last" == *: ]]; }; then
      words[\${#words[@]}-1]="$last$word"; last="$last$word"
    else
      words+=("$word"); last="$word"
    fi
  done
  cur="$last"
  if [[ "$cur" == -*=* ]]; then cur="\${cur#*=}"; fi
  if [[ "$cur" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then found="\${cur%"\${cur##*:}"}"; fi
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ "$line" == ":0" ]]; then files=yes
    elif [[ "$line" != :* ]]; then line="\${line%%$'\\t'*}"; COMPREPLY+=("\${line#"$found"}")
    fi
  done < <(wukong __complete "\${words[@]}" 2>/dev/null)
  if [[ -n "$files" ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
  fi
  if [[ \${#COMPREPLY[@]} == 1 && "\${COMPREPLY[0]}" == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _wukong wukong kubectl-wukong
`;

/** Read by `source`, or as a file _wukong of the fpath, which zsh runs as the function itself. */
const zsh = `#compdef wukong kubectl-wukong
_wukong() {
  local line value about typed="\${(Q)PREFIX}"
  local -a offers unfinished
  for line in "\${(@f)$(wukong __complete "\${(@Q)words[2,CURRENT-1]}" "$typed" 2>/dev/null)}"; do
    value="\${\${line%%$'\\t'*}//:/\\\\:}"
    about="\${line#*$'\\t'}"
    if [[ "$about" != "$line" ]]; then about=":$about"; else about=""; fi
    case "$line" in
      :0) if [[ "$typed" == -*=* ]]; then compset -P 1 '*='; fi; _files; return ;;
      :*) ;;
      *=) unfinished+=("$value") ;;
      ?*) offers+=("$value$about") ;;
    esac
  done
  if [[ "$typed" == -*=* ]]; then compset -P 1 '*='; fi
  _describe wukong offers -- unfinished -S ''
}
if [[ "\${funcstack[1]}" == _wukong ]]; then
  _wukong
else
  (( $+functions[compdef] )) || { autoload -Uz compinit; compinit; }
  compdef _wukong wukong kubectl-wukong
fi
`;

const fish = `# fish completion of wukong
function __wukong_complete
  set -l words (commandline -opc)
  set -l cur (commandline -ct | string trim -l -c '\\'"')
  set -l flag (string match -r '^-[^=]*=' -- "$cur")
  for line in (wukong __complete $words[2..] "$cur" 2>/dev/null)
    switch $line
      case ':0'
        for file in (__fish_complete_path (string replace -- "$flag" '' "$cur"))
          echo "$flag$file"
        end
      case ':*'
      case '*'
        echo "$flag$line"
    end
  end
end
complete -c wukong -f -a '(__wukong_complete)'
complete -c kubectl-wukong -f -a '(__wukong_complete)'
`;

const scripts: Record<(typeof shells)[number], string> = { bash, zsh, fish };
