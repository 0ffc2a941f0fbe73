import { writeFileSync } from 'node:fs';

import { commands } from './commands.ts';
import { overview } from './main.ts';

/** docs/cli.md, from what the commands say of themselves. */
export async function cliPage(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => {
      const { summary, help } = await load();
      return `## ${name}\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
    }),
  );
  return `# The command line

\`npx wukong\` from a clone, \`wukong\` once it is installed (\`npm pack\`, then \`npm install --global wukong-lifecycle-VERSION.tgz\`), \`kubectl wukong\` through the bin \`kubectl-wukong\`; \`kubectl_complete-wukong\` lets kubectl complete it.

\`\`\`text
${(await overview()).trimEnd()}
\`\`\`

## Exit codes

| code | means |
| --- | --- |
| 0 | All is as wished: it was done and seen, or it was so before. |
| 1 | Something failed, or the cluster cannot be reached. The reason is on standard error; \`--debug\` shows where it comes from. |
| 2 | Wrong usage; nothing was called. What was expected is said, with the nearest word. |
| 3 | Something is still in progress: the time was up, Ctrl-C, \`--wait=false\`. It is on the Wukong, and reconcileState goes on. |
| 4 | Something was left alone on purpose: protected, overridden, stale, or superseded by a newer command. |
| 130 | Interrupted, with nothing left behind; or by a second Ctrl-C, at once. |

The highest that applies, in the order 1, 3, 4.

## Signals

Ctrl-C (SIGINT) and SIGTERM are obeyed at once. A command that has begun something leaves it in order and answers 3 or 130, after about a second (5 s at the most); a second Ctrl-C ends it there and then. One that has not ends by the signal, which a shell shows as 130 or 143.

\`npx wukong\` and \`npm run wukong --\` answer the same codes, but for a signal: npm and the shell that it starts answer that themselves, with 130 or 143, whatever the command has left on the Wukong. npm does not pass a SIGTERM on, so the command ends when it sees that npm has gone; a SIGINT that only npm is sent reaches nobody, so send SIGTERM. A script that needs the code calls \`node cli/wukong.mjs\` or an installed \`wukong\`.

## Arguments

As kubectl reads them: \`--x=y\`, \`--x y\`, \`-x=y\`, \`-x y\`, \`-xy\`, clusters such as \`-Aw\`, \`--x=false\`, \`--\`, and options before the command. An empty value is refused, and an option that is known is never taken for a value ([decision 40](decisions/0040-arguments-as-pflag-reads-them.md)).

Names are those of Wukongs: \`web\`, \`wk/web\`, \`wukong.vm.novasphere.dev/web\`; \`vm/web-vm\` means the Wukong of that VM. Every command takes several; one that is wrong is said on standard error, the others are done all the same, and the exit code is 1. \`-l\`, \`--field-selector\`, \`--all\` and \`-f FILE\` stand for names.

\`-o jsonpath=…\`, \`-o custom-columns=…\` and \`--sort-by\` take kubectl's JSONPath, of what \`-o json\` prints. The times of one screen are of one zone: UTC, or the one that it names.

## Where what goes

Results go to standard output, as tables without colour when it is no terminal or \`NO_COLOR\` is set. Progress, notes and errors go to standard error; lines that are drawn over only when that is a terminal.

A stop or start of more VMs than \`--max-targets\` (50) asks in a terminal, and is refused where nobody can be asked, unless \`--yes\` is given.

## The cluster

As kubectl finds it: \`--kubeconfig\`, the files of \`$KUBECONFIG\`, \`~/.kube/config\`, the pod's own service account; \`--context\`, and the namespace of the context unless \`-n\` or \`-A\` says otherwise; \`--cluster\`, \`--user\`, \`--server\`, \`--as\`, \`--request-timeout\`. The certificate is always verified. \`POWER_METHOD\`, \`REQUIRE_AGENT\`, \`LIFECYCLE_NAMESPACE\` and \`EVENT_BUS_NAME\` mean what they mean to the functions.

${sections.join('\n')}
This page is written by \`npm run docs:cli\` from the commands themselves, and a test holds it to that.
`;
}

if (import.meta.main) writeFileSync('docs/cli.md', await cliPage());
