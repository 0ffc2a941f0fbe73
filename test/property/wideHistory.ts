import type { Action } from '../../shared/domain/outcome.ts';
import type { Harm, targets } from './history.ts';
import type { OlderSpan } from './mixedHistory.ts';
import type { Death } from './process.ts';

export const spaces = ['north', 'south', 'east'] as const;
export type Space = (typeof spaces)[number];

export interface WideWukong {
  space: Space;
  on: boolean;
  guest: 'plain' | 'slow' | 'slowBoot' | 'deaf' | 'hangs' | 'crashes' | 'unschedulable';
  env: 'dev' | 'prod';
  wave: number;
  protected: boolean;
}

/** Of a namespace, or of the whole cluster. Minutes are after the begin, by the clock on the wall of its zone. */
export interface WideSchedule {
  space: Space | 'cluster';
  over: boolean;
  env: 'dev' | 'prod' | 'any';
  zone: 'UTC' | 'Europe/Berlin';
  policy: 'Respect' | 'Enforce';
  start?: number | undefined;
  stop?: number | undefined;
  suspend: boolean;
  waves?: { maxInFlight: number; delaySeconds: number } | undefined;
  jitterSeconds: number;
  /** Minutes, as whole instants. */
  exception?: { from: number; minutes: number; state: 'Running' | 'Stopped' } | undefined;
}

/** How the bus deals with a message that it took: `times` 0: it is lost. */
export interface Fate {
  times: number;
  afterSeconds: number;
}

export type ScheduleEdit = 'later' | 'suspend' | 'resume' | 'policy' | 'recreate' | 'delete';
export type WideAct =
  | { do: 'ask'; via: 'event' | 'cli' | 'declare'; action: Action; of: number; force: boolean }
  | { do: 'fleet'; via: 'event' | 'cli'; action: Action; env: 'dev' | 'prod'; maxInFlight: number }
  | { do: 'keep'; of: number; state: 'running' | 'stopped'; minutes: number }
  | { do: 'skipNext'; of: number }
  | { do: 'edit'; of: number; edit: ScheduleEdit }
  | { do: 'recreate'; of: number }
  | { do: 'relabel'; of: number }
  | { do: 'hand'; of: number; strategy: 'Always' | 'Halted' }
  | { do: 'guest'; of: number }
  | { do: 'fault'; target: keyof typeof targets; nth: number; times: number; harm: Harm }
  | { do: 'away'; seconds: number; what: 'virtApi' | 'apiServer' }
  | { do: 'tick'; dies: Death }
  | { do: 'kill' };
export type WideStep = WideAct & { minute: number };

/** Some hours in which people, schedules and faults meet on several Wukongs. */
export interface WideHistory {
  night: 'plain' | 'autumn' | 'spring';
  /** What ticks put on the bus is carried out by the handlers at its other end. */
  bus: boolean;
  /** Who ticks: a CronJob, two installations that know nothing of each other, a server beside the CronJob. */
  tickers: 'one' | 'two' | 'served';
  fates: Fate[];
  wukongs: WideWukong[];
  schedules: WideSchedule[];
  steps: WideStep[];
  older?: OlderSpan;
}
