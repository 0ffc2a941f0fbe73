import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';

import { type Command, parseCommand } from '../../shared/domain/command.ts';
import { LifecycleError } from '../../shared/domain/errors.ts';
import type { Action } from '../../shared/domain/outcome.ts';
import { type Io, UsageError, type Values } from '../command.ts';
import { durationSeconds } from '../terminal/duration.ts';

/** How many VMs are worked on without asking. */
export const usualTargets = 50;

const flagOf: Record<string, string> = {
  gracePeriodSeconds: '--grace (in seconds)',
  waitSeconds: '--timeout (in seconds)',
  leaseSeconds: '--lease (in seconds)',
  maxInFlight: '--max-in-flight',
  reason: '--reason',
};

/** The Command of the library; its target is only for the record here. @throws UsageError in the words of the options. */
export function commandOf(verb: Action | 'restart', values: Values, io: Io): Command {
  const timeout = durationSeconds('timeout', values.timeout as string | undefined);
  const action = verb === 'start' ? 'start' : 'stop';
  const input = {
    target: values.selector === undefined ? { namespace: 'any', name: 'any' } : { selector: values.selector },
    dryRun: values['dry-run'] === true,
    reason: values.reason,
    requestedBy: userOf(io),
    maxInFlight: countOf(values, 'max-in-flight'),
    ...(action === 'stop'
      ? {
          force: values.force === true,
          gracePeriodSeconds: durationSeconds('grace', values.grace as string | undefined),
          deletePodWhenStuck: values['delete-pod-when-stuck'] === true,
          ...(verb === 'restart' ? { restart: true, waitSeconds: timeout } : {}),
        }
      : { waitSeconds: timeout, leaseSeconds: durationSeconds('lease', values.lease as string | undefined) }),
  };
  try {
    return parseCommand(input, { action, trigger: 'cli', requestId: `cli:${randomUUID()}`, requestedAt: Date.now() });
  } catch (thrown) {
    if (!(thrown instanceof LifecycleError)) throw thrown;
    const message = thrown.message.replace(/(^|; )(\w+):/g, (all, before: string, field: string) =>
      flagOf[field] ? `${before}${flagOf[field]}:` : all,
    );
    throw new UsageError(message, { cause: thrown });
  }
}

/** How long to wait. Stop: then with what there is. Start: long enough for every VM's own time limit. */
export function waitMsOf(action: Action, values: Values, command: Command, count: number): number {
  if (action === 'stop') return (durationSeconds('timeout', values.timeout as string | undefined) ?? 900) * 1000;
  return (command.waitSeconds * Math.ceil(count / command.maxInFlight) + 60) * 1000;
}

export function countOf(values: Values, option: string): number | undefined {
  const typed = values[option] as string | undefined;
  if (typed === undefined) return undefined;
  if (/^\d{1,6}$/.test(typed)) return Number(typed);
  throw new UsageError(`--${option} ${typed}: expected a whole number`);
}

function userOf(io: Io): string | undefined {
  try {
    return io.env?.['USER'] || userInfo().username;
  } catch {
    return undefined; // a container's user may have no name
  }
}
