import type { Notice } from '../../shared/cluster/world.ts';
import type { KubeObject } from '../../shared/domain/model.ts';
import { worldOf } from './asked.ts';

/** A world with a webhook, and all that is said in it: the lines of its log, what is counted, notices and entries. */
export function telling(now: number, ...answers: [status: number, body?: object][]) {
  const { world, asked, within, told } = worldOf(now, ...(answers as [number, KubeObject?][]));
  const [notices, logged, counted]: [Notice[], unknown[][], unknown[][]] = [[], [], []];
  const line = (level: string) => (message: string, fields?: object) => void logged.push([level, message, fields]);
  Object.assign(world, {
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    webhook: { put: (notice: Notice) => void notices.push(notice), flush: () => Promise.resolve() },
    metrics: {
      ...world.metrics,
      count: (name: string, value: number) => void counted.push([name, value]),
      outcome: ({ name }: { name: string }, lateMs?: number) => void counted.push([name, lateMs]),
    },
  });
  return { world, asked, within, told, notices, logged, counted };
}
