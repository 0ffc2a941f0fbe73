import type { World } from '../../shared/cluster/world.ts';
import { keyOf } from '../../shared/domain/model.ts';
import { growHeapForTicks } from '../../shared/reconcile/heap.ts';
import { reconcile as tickOnce, type Tick } from '../../shared/reconcile/reconcile.ts';
import { plain } from '../../shared/report/plain.ts';
import { rfc3339 } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/wait.ts';
import { clusterOptions, namespaceOption, openCluster } from '../cluster.ts';
import { type CliCommand, exitCodes, type Io, type Options } from '../command.ts';
import { widest } from '../terminal/columns.ts';
import { durationMs } from '../terminal/duration.ts';
import { helpOf } from '../terminal/help.ts';
import { jsonLine, outcomeLine } from '../terminal/outcomes.ts';
import { seeingFreeze } from './installations.ts';

const options: Options = {
  once: { type: 'boolean', about: 'one tick, then ends; else one every minute, until Ctrl-C' },
  timeout: { type: 'string', value: 'DURATION', default: '50s', about: 'how long a tick may take; default 50s' },
  output: {
    type: 'string',
    short: 'o',
    choices: ['json', 'jsonl'],
    about: 'json: a tick a line; jsonl: an outcome a line, then the tick',
  },
  namespace: { ...namespaceOption['namespace']!, about: 'default: $WATCH_NAMESPACES, else all' },
  ...clusterOptions,
};
const everyMs = 60_000;

export const reconcile: CliCommand = {
  summary: 'does what is due: schedules, declared actions, what was interrupted; makes the status true',
  help: helpOf({
    usage: ['reconcile [--once] [-n NAME]'],
    about:
      'What the function reconcileState does every minute; the CronJob calls it with --once. What is not over when the time is up is left in progress for the next tick.',
    options,
    exit: '0 the tick was carried out, whatever it found, bad schedules too; 1 the cluster cannot be reached, or something could not be read or written; 2 wrong usage; 130 interrupted.',
  }),
  options,
  run: async (values, io) => {
    growHeapForTicks();
    const timeoutMs = durationMs('timeout', values.timeout as string);
    const session = await openCluster(values, io);
    const whole = await seeingFreeze(session.world, io.env, session.namespace);
    const namespace = values.namespace as string | undefined;
    const world =
      namespace === undefined ? whole : { ...whole, config: { ...whole.config, watchNamespaces: [namespace] } };
    const shown = values.output as 'json' | 'jsonl' | undefined;
    const how = { timeoutMs, once: values.once === true, signal: io.interrupt?.() };
    const bad = await tickEveryMinute(world, how, io, (tick, begun) => tell(tick, begun, shown, io));
    return bad ? exitCodes.failed : exitCodes.done;
  },
};

/**
 * Ticks at once and then every minute until the signal; or once, and answers whether it had problems. A tick that fails
 * is told on standard error, and the next one comes all the same. @throws what a single tick throws; the signal's reason
 */
export async function tickEveryMinute(
  world: World,
  { timeoutMs, once, signal }: { timeoutMs: number; once?: boolean; signal?: AbortSignal | undefined },
  io: Pick<Io, 'out' | 'err' | 'colour'>,
  told: (tick: Tick, begun: number) => void = (tick, begun) => tell(tick, begun, undefined, io),
): Promise<boolean> {
  for (;;) {
    const begun = world.clock.now();
    try {
      const tick = await tickOnce(world, { deadline: begun + timeoutMs, signal });
      told(tick, begun);
      if (once) return tick.problems.length > 0;
    } catch (thrown) {
      if (signal?.aborted || once) throw signal?.aborted ? signal.reason : thrown;
      io.err(`${rfc3339(begun)} ${(thrown as Error).message}\n`);
    }
    await sleep(world.clock, Math.max(0, begun + everyMs - world.clock.now()), signal);
  }
}

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;

function tell(
  { wukongs, outcomes, repaired, sent, problems, schedules }: Tick,
  begun: number,
  output: 'json' | 'jsonl' | undefined,
  io: Pick<Io, 'out' | 'err' | 'colour'>,
): void {
  if (output === 'jsonl') for (const outcome of outcomes) io.out(jsonLine(outcome));
  if (output !== undefined) {
    const all = output === 'json' ? { outcomes } : {};
    io.out(`${JSON.stringify({ at: rfc3339(begun), wukongs, repaired, sent, problems, schedules, ...all })}\n`);
    return;
  }
  const width = widest(outcomes.map(keyOf));
  for (const outcome of outcomes) io.out(`${outcomeLine(outcome, width, io.colour)}\n`);
  for (const problem of problems) io.err(`problem: ${problem}\n`);
  for (const trouble of schedules) io.err(`${plain(trouble)}\n`);
  const did = [
    counted(outcomes.length, 'outcome'),
    `${counted(repaired, 'status')} put right`,
    ...(sent ? [`${counted(sent, 'command')} sent`] : []),
  ];
  io.err(`${rfc3339(begun)} ${counted(wukongs, 'Wukong')}: ${did.join(', ')}\n`);
}
