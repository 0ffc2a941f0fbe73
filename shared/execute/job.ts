import type { Command } from '../domain/command.ts';
import type { Annotations, LifecycleState, Place, Wukong } from '../domain/model.ts';
import type { Last, Operation } from '../domain/operation.ts';
import type { Action } from '../domain/outcome.ts';

/** What is to be done with one Wukong. */
export type Work =
  | { do: 'command'; command: Command; remember?: boolean }
  /** `spec.lifecycleAction`. */
  | { do: 'declared' }
  /** A record that nobody ends: it is taken over. */
  | { do: 'resume'; op: Operation }
  /** A record whose claim expired again and again. */
  | { do: 'giveUp'; op: Operation }
  /** An end that was recorded and not reported. */
  | { do: 'reportAgain'; last: Last }
  /** Somebody else carries it out; it holds its wave here, and, unless it is `placeless`, its place. */
  | { do: 'await'; placeless?: boolean };

/** Those that one schedule, command or record asks for: they share places, and have waves. */
export interface Group {
  /** The same for the same asker. */
  key: string;
  /** How many may load the cluster at once. */
  maxInFlight: number;
  /** Pause between two waves. */
  delayMs: number;
  /** What is known of its waves from before, by rank: when one fell due, and when its first VM was begun. Instants. */
  known?: Map<number, { dueAt?: number; begunAt?: number }>;
}

/** One Wukong and what to do with it: whoever asks makes jobs, and nothing else. */
export interface Job {
  place: Place;
  /** Where it is at hand. */
  wukong?: Wukong;
  action: Action;
  work: Work;
  group: Group;
  /** Rank of its wave: the lowest begins. */
  wave: number;
  /** How long after its wave's beginning. */
  jitterMs: number;
  /** It is under way already, or loads nothing: it waits for no place and no wave. */
  urgent?: boolean;
  namespaceAnnotations?: Annotations | undefined;
  /** What schedules will do next, for the status. */
  next?: Pick<LifecycleState, 'nextAction' | 'nextActionTime'>;
}

export const mostInFlight = 50;

/** A group without waves of its own. */
export const groupOf = (key: string, maxInFlight = mostInFlight): Group => ({ key, maxInFlight, delayMs: 0 });
