import { randomBytes } from 'node:crypto';

import { asLifecycleError } from '../../shared/domain/errors.ts';
import { matches, parseSelector, type Selector } from '../../shared/domain/selector.ts';
import { clusterOptions, openCluster, scopeOptions } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options, UsageError, type Values } from '../command.ts';
import { readArguments } from '../flags.ts';
import { helpOf } from '../terminal/help.ts';
import { livePage } from '../ui/livePage.ts';
import { type Act, serveUi } from '../ui/uiServer.ts';
import { watchRuns } from './watchRuns.ts';
import { watchStates } from './watchStates.ts';

const options: Options = {
  port: { type: 'string', value: 'PORT', default: '0', about: 'of 127.0.0.1; default: any that is free' },
  ...scopeOptions,
  ...clusterOptions,
};

export const ui: CliCommand = {
  summary: 'a page in the browser: what VMs are doing now, last runs, what comes next; stop, start and keep from there',
  help: helpOf({
    usage: ['ui [-n NAME | -A] [-l SELECTOR]'],
    about:
      'Serves a page on 127.0.0.1 alone, with your own kubeconfig and rights, until Ctrl-C. The URL has a token in it: who knows it may do what you may.',
    options,
    exit: '0 ended by a signal; 1 the cluster cannot be reached; 2 wrong usage.',
  }),
  options,
  async run(values, io) {
    const port = /^\d{1,5}$/.test(values['port'] as string) ? Number(values['port']) : NaN;
    if (!(port <= 65_535)) throw new UsageError(`--port ${String(values['port'])}: expected a number from 0 to 65535`);
    const { world, credentials, namespace } = await openCluster(values, io);
    const selector = parsed(values['selector'] as string | undefined);
    const token = randomBytes(24).toString('base64url');
    const server = await serveUi({
      page: livePage(credentials.server),
      token,
      port,
      act: (wish) => carryOut(wish, values, io),
    });
    io.out(`${server.url}\n`);
    io.err('Open it in your browser. Ctrl-C ends it.\n');
    try {
      const scope: { namespace?: string } = values['all-namespaces'] === true ? {} : { namespace };
      const signal = io.interrupt?.() ?? new AbortController().signal;
      const mine = (labels?: Record<string, string>) => !selector || matches(selector, labels);
      const runs = watchRuns(world, scope.namespace, signal, (seen) => server.showRuns(seen));
      await watchStates(world, { ...scope, mine }, signal, (states, left) => server.show(states, left));
      await runs;
      return exitCodes.done;
    } finally {
      await server.close();
    }
  },
};

function parsed(text: string | undefined): Selector | undefined {
  try {
    return text === undefined ? undefined : parseSelector(text);
  } catch (wrong) {
    throw new UsageError(`--selector: ${(wrong as Error).message}`);
  }
}

const passedOn = ['kubeconfig', 'context', 'cluster', 'user', 'server', 'as', 'as-uid'];

/** Which command carries out a wish, and with what words. */
async function commandFor({ action, name, for: span }: Act): Promise<{ command: CliCommand; words: string[] }> {
  if (action === 'start' || action === 'stop') return { command: (await import('./power.ts'))[action], words: [name] };
  const { keep } = await import('./keep.ts');
  if (action === 'clear') return { command: keep, words: [name, '--clear'] };
  return { command: keep, words: [name, action.replace('keep ', ''), `--for=${span}`] };
}

/** By the command line's own command, so that the words are the same. */
async function carryOut(wish: Act, values: Values, io: Io): Promise<string> {
  const same = passedOn.flatMap((option) =>
    values[option] === undefined ? [] : [`--${option}=${String(values[option])}`],
  );
  const groups = ((values['as-group'] ?? []) as string[]).map((group) => `--as-group=${group}`);
  let said = '';
  const hear = (text: string) => void (said += text);
  const quiet: Io = { out: hear, err: hear, now: Date.now(), colour: false, ...(io.env ? { env: io.env } : {}) };
  try {
    const { command, words } = await commandFor(wish);
    const all = [...words, `--namespace=${wish.namespace}`, ...same, ...groups];
    const { values: read, positionals } = readArguments(all, command);
    await command.run(read, quiet, positionals);
  } catch (thrown) {
    hear(`\n${asLifecycleError(thrown).message}`);
  }
  return said.trim().split('\n').slice(0, 2).join(' ').replace(/ {2,}/g, ' ');
}
