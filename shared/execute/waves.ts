import type { Job } from './job.ts';

/** A wave that is not over by then does not hold back the next one. */
const longestWaveMs = 10 * 60_000;

/** A job of a wave that has begun. Instant. */
export interface Ready {
  job: Job;
  notBefore: number;
}

/**
 * The waves of one group, the lowest rank first: each begins when every job of the one before has ended, or after ten
 * minutes. What is under way already (`urgent`) waits for none, and holds back the next one as the others do.
 */
export class Waves {
  readonly #waves: { rank: number; jobs: Job[] }[];
  /** How many have not ended, by rank. */
  readonly #open = new Map<number, number>();
  #urgent: Job[];
  #rank = -Infinity;
  #overAt = -Infinity;

  constructor(jobs: Job[]) {
    const byRank = Map.groupBy(jobs, ({ wave }) => wave);
    for (const [rank, mine] of byRank) this.#open.set(rank, mine.length);
    this.#waves = [...byRank].sort(([a], [b]) => a - b).map(([rank, mine]) => ({ rank, jobs: mine }));
    this.#urgent = jobs.filter(({ urgent }) => urgent);
  }

  /** The jobs of each wave that begins now. */
  begin(now: number): Ready[] {
    const ready = this.#urgent.splice(0).map((job) => ({ job, notBefore: -Infinity }));
    for (let next = this.#waves[0]; next && this.#isOver(now); next = this.#waves[0]) {
      this.#waves.shift();
      for (const one of this.#beginOne(next, now)) ready.push(one);
    }
    return ready;
  }

  /** Jitter spreads within a wave; what is known from an earlier tick says when it began. */
  #beginOne({ rank, jobs }: { rank: number; jobs: Job[] }, now: number): Ready[] {
    const { known, delayMs } = jobs[0]!.group;
    const { dueAt, begunAt } = known?.get(rank) ?? {};
    const from = dueAt ?? begunAt ?? (this.#rank === -Infinity ? now : now + delayMs);
    const spread = jobs.reduce((most, { jitterMs }) => Math.max(most, jitterMs), 0);
    this.#rank = rank;
    this.#overAt = (begunAt ?? Math.max(now, from)) + spread + longestWaveMs;
    return jobs.filter(({ urgent }) => !urgent).map((job) => ({ job, notBefore: from + job.jitterMs }));
  }

  #isOver(now: number): boolean {
    return this.#open.get(this.#rank) === 0 || now >= this.#overAt;
  }

  ended({ wave }: Job): void {
    this.#open.set(wave, this.#open.get(wave)! - 1);
  }

  /** When the next one begins although nobody ends. Instant; Infinity where there is none. */
  nextAt(): number {
    return this.#waves.length > 0 ? this.#overAt : Infinity;
  }

  /** Those whose wave has not begun. */
  left(): Job[] {
    return [...this.#urgent, ...this.#waves.flatMap(({ jobs }) => jobs.filter(({ urgent }) => !urgent))];
  }
}
