import type { WideSchedule, WideStep } from './wideHistory.ts';
import { minuteMs } from './wideLife.ts';
import { wallAfter } from './wideModel.ts';

/** The guests of a history by their kind, as annotations have them. */
export const guests = {
  plain: {},
  slow: { 'shutdown-seconds': '20' },
  slowBoot: { 'boot-seconds': '40' },
  deaf: { 'ignore-acpi': 'true' },
  hangs: { hang: 'true' },
  crashes: { 'crash-after-seconds': '20' },
  unschedulable: { unschedulable: 'true' },
} as const;

/** The spec of a schedule whose minutes are counted from the beginning of a history. */
export function specOf(schedule: WideSchedule, begin: number) {
  const { env, zone, policy, start, stop, suspend, waves, jitterSeconds, exception, space, over } = schedule;
  const cron = (minutes: number) => {
    const wall = new Date(wallAfter(begin, zone, minutes));
    return `${wall.getUTCMinutes()} ${wall.getUTCHours()} * * *`;
  };
  const at = (minutes: number) => new Date(begin + minutes * minuteMs).toISOString().replace('.000', '');
  return {
    ...{ timeZone: zone, policy, suspend, jitterSeconds },
    ...(env === 'any'
      ? { selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] } }
      : { selector: { matchLabels: { env } } }),
    ...(start === undefined ? {} : { start: cron(start) }),
    ...(stop === undefined ? {} : { stop: cron(stop) }),
    ...(waves ? { waves } : {}),
    ...(exception
      ? {
          exceptions: [
            { from: at(exception.from), to: at(exception.from + exception.minutes), state: exception.state },
          ],
        }
      : {}),
    ...(space === 'cluster' ? { namespaceSelector: {}, enforceOverNamespaces: over } : {}),
  };
}

/** A schedule after an edit that leaves it there. */
export function edited(spec: WideSchedule, edit: Extract<WideStep, { do: 'edit' }>['edit']): WideSchedule {
  const { suspend, policy, start, stop } = spec;
  return {
    ...spec,
    suspend: edit === 'suspend' ? true : edit === 'resume' ? false : suspend,
    policy: edit === 'policy' ? (policy === 'Respect' ? 'Enforce' : 'Respect') : policy,
    ...(edit === 'later' && stop !== undefined && stop + 30 !== start ? { stop: stop + 30 } : {}),
  };
}
