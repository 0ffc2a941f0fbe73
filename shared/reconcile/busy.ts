import { keyOf, type Place } from '../domain/model.ts';
import type { Job } from '../execute/job.ts';

export interface OwnJobs {
  jobs: Job[];
  /** What schedules want of Wukongs that others of this process see to. */
  elsewhere: Place[];
  /** Keys of all of these. */
  underWay: Set<string>;
  /** They are done with; without keys: all. */
  release(keys?: Iterable<string>): void;
}

/** The jobs that nobody else of this process sees to. Each is marked as this tick's own in `busy` until its `release`. */
export function claimOwn(all: Job[], busy: Set<string>): OwnJobs {
  const isBusy = ({ place }: Job) => busy.has(keyOf(place));
  const jobs = all.filter((job) => !isBusy(job));
  const elsewhere = all.filter((job) => job.work.do === 'command' && isBusy(job)).map(({ place }) => place);
  const own = new Set(jobs.flatMap(({ place, work }) => (work.do === 'await' ? [] : [keyOf(place)])));
  for (const key of own) busy.add(key);
  const underWay = new Set([...jobs.map(({ place }) => place), ...elsewhere].map(keyOf));
  const release = (keys: Iterable<string> = [...own]) => {
    for (const key of keys) if (own.delete(key)) busy.delete(key);
  };
  return { jobs, elsewhere, underWay, release };
}
